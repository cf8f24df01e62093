import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { readSigningKey, SigningKeyError } from '../../src/tokens/signing-key.ts';
import { openssl } from '../support/openssl.ts';

const claims = { iss: 'https://auth.example', sub: 'a' } as unknown as AccessTokenClaims;
const ec = await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
const sec1 = await openssl(['ecparam', '-name', 'secp384r1', '-genkey', '-noout']);
const p521 = await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']);
const ed25519 = await openssl(['genpkey', '-algorithm', 'ed25519']);
const rsa = await openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']);
const jwk = (alg?: string) =>
  JSON.stringify({
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
    ...(alg && { alg }),
  });

describe('parsing a signing key selects the algorithm of its type', () => {
  test.each<[string, string, SigningAlgorithm | undefined, SigningAlgorithm]>([
    ['P-256', ec, undefined, 'ES256'],
    ['P-384, SEC 1', sec1, undefined, 'ES384'],
    ['P-521', p521, undefined, 'ES512'],
    ['Ed25519', ed25519, undefined, 'EdDSA'],
    ['RSA', rsa, undefined, 'RS256'],
    ['RSA, PS256 configured', rsa, 'PS256', 'PS256'],
    ['RSA, RS512 configured', rsa, 'RS512', 'RS512'],
    ['a JWK', jwk(), undefined, 'ES256'],
    ['a JWK with alg', jwk('ES256'), 'ES256', 'ES256'],
  ])('%s', async (_, text, wanted, algorithm) => {
    const key = await readSigningKey(text, wanted);
    const token = await key.sign(claims);
    expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: 'at+jwt', kid: key.keyId });
    expect(key.publicJwk).toMatchObject({ alg: algorithm, use: 'sig', kid: key.keyId });
    expect(Object.keys(key.publicJwk)).not.toContain('d');
    const publicKey = createPublicKey({ key: key.publicJwk as never, format: 'jwk' });
    await expect(compactVerify(token, publicKey)).resolves.toBeDefined();
  });
});

describe('parsing a signing key rejects, with the cause,', () => {
  const publicPem = createPublicKey(ec).export({ format: 'pem', type: 'spki' }).toString();
  const { d: _, ...publicJwk } = JSON.parse(jwk());
  test.each<[string, string | Promise<string>, SigningAlgorithm | undefined, string]>([
    ['empty text', '', undefined, 'private key'],
    ['a public key', publicPem, undefined, 'private key'],
    ['a public JWK', JSON.stringify(publicJwk), undefined, 'private key'],
    ['broken JSON', '{"kty":', undefined, 'not valid JSON'],
    ['an algorithm that is incompatible with the key', ec, 'RS256', 'is incompatible'],
    ['a JWK for another algorithm', jwk('ES256'), 'ES384', 'alg'],
    ['a JWK for an unknown algorithm', jwk('none'), undefined, 'none'],
    ['RSA 1024', openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']), undefined, '1024 bits'],
    [
      'secp256k1',
      openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']),
      undefined,
      'secp256k1',
    ],
    ['X25519', openssl(['genpkey', '-algorithm', 'x25519']), undefined, 'x25519'],
    ['an encrypted key', openssl(['pkey', '-aes256', '-passout', 'pass:x'], ec), undefined, 'openssl pkey'],
  ])('%s', async (_, text, wanted, message) => {
    const reading = readSigningKey(await text, wanted);
    await expect(reading).rejects.toThrow(SigningKeyError);
    await expect(reading).rejects.toThrow(message);
  });
});

import { compactVerify, errors, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type SigningAlgorithm, signingAlgorithmNames } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { createJwsSigner } from '../../src/tokens/jws-signer.ts';
import { type KeyType, keyPair } from '../support/keys.ts';

const keyTypes: Readonly<Record<SigningAlgorithm, KeyType>> = {
  ES256: 'ec-p256',
  ES384: 'ec-p384',
  ES512: 'ec-p521',
  EdDSA: 'ed25519',
  Ed25519: 'ed25519',
  RS256: 'rsa-2048',
  RS384: 'rsa-3072',
  RS512: 'rsa-2048',
  PS256: 'rsa-2048',
  PS384: 'rsa-3072',
  PS512: 'rsa-2048',
  'ML-DSA-44': 'ml-dsa-44',
  'ML-DSA-65': 'ml-dsa-65',
};
const signatureBytes: Readonly<Record<SigningAlgorithm, number>> = {
  ES256: 64,
  ES384: 96,
  ES512: 132,
  EdDSA: 64,
  Ed25519: 64,
  RS256: 256,
  RS384: 384,
  RS512: 256,
  PS256: 256,
  PS384: 384,
  PS512: 256,
  'ML-DSA-44': 2420,
  'ML-DSA-65': 3309,
};
const header = { typ: 'at+jwt', kid: 'key' };
const claims = { iss: 'https://auth.example', sub: 'a"\\\n', roles: ['ä€𝄞', '\ud800', null, 1e21], nested: { x: 0.1 } };
const payload = JSON.stringify(claims);
const keysOf = (algorithm: SigningAlgorithm) => keyPair(keyTypes[algorithm], { reuse: true });
const signerOf = (algorithm: SigningAlgorithm) => createJwsSigner(algorithm, header, keysOf(algorithm).privateKey);
const signatureOf = (jws: string) => Buffer.from(jws.split('.')[2] ?? '', 'base64url');

function withFlippedBit(bytes: Buffer, index: number): Buffer {
  return Buffer.concat([bytes.subarray(0, index), Buffer.of(bytes.readUInt8(index) ^ 1), bytes.subarray(index + 1)]);
}

describe.each(signingAlgorithmNames)('a JWS signed with %s', (algorithm) => {
  const { privateKey, publicKey } = keysOf(algorithm);
  const verify = (jws: string) => compactVerify(jws, publicKey, { algorithms: [algorithm] });

  test('verifies with jose and has the header and payload that jose writes', async () => {
    const own = await signerOf(algorithm)(payload);
    const theirs = await new SignJWT(claims).setProtectedHeader({ alg: algorithm, ...header }).sign(privateKey);
    expect(own.split('.').slice(0, 2)).toEqual(theirs.split('.').slice(0, 2));
    expect(signatureOf(own)).toHaveLength(signatureBytes[algorithm]);
    const verified = await verify(own);
    expect(new TextDecoder().decode(verified.payload)).toBe(payload);
    // These signatures are deterministic (RFC 8017 §8.2, RFC 8032 §5.1.6).
    if (algorithm.startsWith('RS') || keyTypes[algorithm] === 'ed25519') expect(own).toBe(theirs);
  });

  test('does not verify if a bit of its signature, payload or header differs', async () => {
    const parts = (await signerOf(algorithm)(payload)).split('.').map((part) => Buffer.from(part, 'base64url'));
    const signatureLength = signatureBytes[algorithm];
    const positions: [part: number, byte: number][] = [
      [0, JSON.stringify({ alg: algorithm, ...header }).indexOf('key"')],
      [1, payload.indexOf('auth')],
      ...[0, 1, Math.floor(signatureLength / 2) - 1, Math.floor(signatureLength / 2), signatureLength - 1].map(
        (byte): [2, number] => [2, byte],
      ),
    ];
    for (const [part, byte] of positions) {
      const altered = parts.map((bytes, index) => (index === part ? withFlippedBit(bytes, byte) : bytes));
      const jws = altered.map((bytes) => bytes.toString('base64url')).join('.');
      await expect(verify(jws)).rejects.toThrow(errors.JWSSignatureVerificationFailed);
    }
  });

  test('is returned at once only if its signature is fast', async () => {
    const jws = signerOf(algorithm)(payload);
    expect(typeof jws === 'string').toBe(['ES256', 'EdDSA', 'Ed25519'].includes(algorithm));
    await verify(await jws);
  });
});

test('an ES256 signature whose integers start with a zero byte has 64 bytes', async () => {
  const sign = signerOf('ES256');
  const { publicKey } = keysOf('ES256');
  const startsWithZero = { r: false, s: false };
  for (let count = 0; count < 20_000 && !(startsWithZero.r && startsWithZero.s); count += 1) {
    const jws = await sign(`{"count":${count}}`);
    const signature = signatureOf(jws);
    expect(signature).toHaveLength(64);
    if (signature[0] !== 0 && signature[32] !== 0) continue;
    if (signature[0] === 0) startsWithZero.r = true;
    else startsWithZero.s = true;
    await compactVerify(jws, publicKey);
  }
  expect(startsWithZero).toEqual({ r: true, s: true });
});

test('signatures of many payloads at the same time are those of their payloads', async () => {
  const { publicKey } = keysOf('PS256');
  const sign = signerOf('PS256');
  const payloads = Array.from({ length: 32 }, (_, index) => `{"index":${index}}`);
  const signed = await Promise.all(payloads.map(sign));
  const verified = await Promise.all(signed.map((jws) => compactVerify(jws, publicKey)));
  expect(verified.map((jws) => new TextDecoder().decode(jws.payload))).toEqual(payloads);
});

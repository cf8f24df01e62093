import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { authorizationServerMetadata, openidProviderMetadata } from '../../src/endpoints/metadata.ts';
import { type SigningAlgorithm, signingAlgorithmNames } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const keys: Readonly<Record<SigningAlgorithm, KeyObject>> = {
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  'ML-DSA-44': generateKeyPairSync('ml-dsa-44').privateKey,
  'ML-DSA-65': generateKeyPairSync('ml-dsa-65').privateKey,
};

const factsWith = (algorithm: SigningAlgorithm) => ({
  issuer: 'https://auth.example/tenant',
  mtlsUrl: 'https://mtls.auth.example/tenant/',
  keys: { algorithms: [algorithm], published: [] },
  canRevoke: true,
});

describe.each(signingAlgorithmNames)('with tokens signed by %s', (algorithm) => {
  test('openid-configuration lists it first, and RS256, each once', () => {
    const { id_token_signing_alg_values_supported: listed } = openidProviderMetadata(factsWith(algorithm));
    expect(listed).toEqual(algorithm === 'RS256' ? ['RS256'] : [algorithm, 'RS256']);
  });

  test('the JWK has every member that a client library requires, and no private one', async () => {
    const pem = keys[algorithm].export({ type: 'pkcs8', format: 'pem' }).toString();
    const { publicJwk } = await readSigningKey(pem, algorithm);
    // RFC 7517 §4.1 to §4.5, RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2, RFC 9964 §4.
    const members =
      { EC: ['crv', 'x', 'y'], RSA: ['n', 'e'], OKP: ['crv', 'x'], AKP: ['pub'] }[String(publicJwk.kty)] ?? [];
    expect(Object.keys(publicJwk).sort()).toEqual(['kty', 'use', 'alg', 'kid', ...members].sort());
    expect(publicJwk).toMatchObject({ use: 'sig', alg: algorithm });
    for (const value of Object.values(publicJwk)) expect(value).toMatch(/^[\w-]+$/);
  });
});

test('the authorization server metadata has neither an authorization endpoint nor a member for ID tokens', () => {
  const members = Object.keys(authorizationServerMetadata(factsWith('ES256')));
  expect(members.filter((name) => /authorization_endpoint|id_token|subject|access_token_signing/.test(name))).toEqual(
    [],
  );
});

test('endpoints have one slash before their name, whatever the base URLs end with', () => {
  const metadata = openidProviderMetadata({ ...factsWith('ES256'), issuer: 'https://auth.example/' });
  expect(metadata).toMatchObject({
    issuer: 'https://auth.example/',
    authorization_endpoint: 'https://auth.example/authorize',
    token_endpoint: 'https://auth.example/token',
    jwks_uri: 'https://auth.example/jwks',
    mtls_endpoint_aliases: { token_endpoint: 'https://mtls.auth.example/tenant/token' },
  });
});

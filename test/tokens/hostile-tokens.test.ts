import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AccessTokenError } from '../../src/tokens/access-token.ts';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import { createAccessTokenVerifier } from '../../src/tokens/access-token-verifier.ts';
import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { createJwsSigner } from '../../src/tokens/jws-signer.ts';
import { readSigningKey, type SigningKey } from '../../src/tokens/signing-key.ts';
import { type KeyType, keyPair } from '../support/keys.ts';
import { segment, signJws } from '../support/sign-jws.ts';

const issuer = 'https://auth.example';
const START = 1_800_000_000;
const now = START * 1000;
const claims: AccessTokenClaims = {
  iss: issuer,
  sub: 'billing',
  aud: 'https://api.example',
  client_id: 'billing',
  iat: START,
  nbf: START,
  exp: START + 300,
  jti: '0190a1c2',
  scope: 'read',
  cnf: { 'x5t#S256': 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
};

interface TestKey {
  readonly privateKey: KeyObject;
  readonly key: SigningKey;
}

async function testKey(type: KeyType, algorithm: SigningAlgorithm, reuse = true): Promise<TestKey> {
  const { privateKey } = keyPair(type, { reuse });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { privateKey, key: await readSigningKey(pem, algorithm) };
}

/** One key of each kind of algorithm, all published at the same time. */
const es256 = await testKey('ec-p256', 'ES256');
const es384 = await testKey('ec-p384', 'ES384');
const edDsa = await testKey('ed25519', 'EdDSA', false);
const ed25519 = await testKey('ed25519', 'Ed25519', false);
const rs256 = await testKey('rsa-2048', 'RS256');
const ps256 = await testKey('rsa-3072', 'PS256');
const mlDsa = await testKey('ml-dsa-44', 'ML-DSA-44');
const published = [es256, es384, edDsa, ed25519, rs256, ps256, mlDsa];
const foreign = await testKey('ec-p256', 'ES256', false);

const keys = new Map(published.map(({ key }) => [key.keyId, key]));
const newVerifier = () =>
  createAccessTokenVerifier({ issuer, keyring: { find: (keyId) => keys.get(keyId) }, revocations: undefined });
const verify = async (token: string) => newVerifier().verify(token, now);
const valid = await es256.key.sign(claims);
const [validHeader = '', validPayload = '', validSignature = ''] = valid.split('.');
const header = { alg: 'ES256', typ: 'at+jwt', kid: es256.key.keyId };

async function expectRejected(token: string, reason: string): Promise<void> {
  const verification = verify(token);
  await expect(verification).rejects.toThrow(AccessTokenError);
  await expect(verification).rejects.toThrow(reason);
}

test.each(published.map(({ key }) => [key.algorithm, key] as const))('a token of %s is accepted', async (_, key) => {
  await expect(verify(await key.sign(claims))).resolves.toMatchObject({ key });
});

/** A token that says it is of one algorithm and key, signed as another algorithm with any key. */
async function confused(stated: string, keyId: string, signed: SigningAlgorithm, key: KeyObject): Promise<string> {
  const input = `${segment({ alg: stated, typ: 'at+jwt', kid: keyId })}.${validPayload}`;
  // The signer computes over its own header, so the algorithm is stated in that one.
  const jws = await createJwsSigner(signed, { alg: stated, typ: 'at+jwt', kid: keyId }, key)(JSON.stringify(claims));
  expect(jws.startsWith(`${input}.`)).toBe(true);
  return jws;
}

describe('a token is rejected whose algorithm is not that of its key:', () => {
  const pairs = published.flatMap((one) => published.filter((other) => other !== one).map((other) => [one, other]));

  test.each(
    pairs.flatMap(([one, other]) =>
      one && other ? [[one.key.algorithm, other.key.algorithm, one, other] as const] : [],
    ),
  )('%s in the header, signed by the key for %s, which it names', async (stated, actual, one, other) => {
    const token = await confused(stated, other.key.keyId, actual, other.privateKey);
    await expectRejected(token, `its alg is "${stated}", and its key is for ${actual}`);
    // Under the kid of the stated algorithm, it is a signature of another key.
    const underOwnKid = await confused(stated, one.key.keyId, actual, other.privateKey);
    await expectRejected(underOwnKid, 'the signature is not one of the key that its kid names');
  });

  test.each([
    ['Ed25519', edDsa],
    ['EdDSA', ed25519],
  ] as const)('%s instead of the other name of the same algorithm', async (stated, { key, privateKey }) => {
    // The signature is right: only the name differs.
    const token = await confused(stated, key.keyId, key.algorithm, privateKey);
    await expectRejected(token, `its alg is "${stated}", and its key is for ${key.algorithm}`);
  });

  test.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const)(
    '%s of the RSA key for RS256',
    async (algorithm) => {
      const token = await confused(algorithm, rs256.key.keyId, algorithm, rs256.privateKey);
      await expectRejected(token, `its alg is "${algorithm}", and its key is for RS256`);
      // The padding or the digest is another than the header says.
      const mislabeled = await confused('RS256', rs256.key.keyId, algorithm, rs256.privateKey);
      await expectRejected(mislabeled, 'the signature is not one of the key that its kid names');
    },
  );
});

describe('a token is rejected that is authenticated by the public key as a secret, with', () => {
  const forms: readonly [string, (key: TestKey) => string | Buffer][] = [
    ['PEM', ({ privateKey }) => createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString()],
    [
      'PEM without its last line feed',
      ({ privateKey }) => createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString().trim(),
    ],
    ['DER', ({ privateKey }) => createPublicKey(privateKey).export({ format: 'der', type: 'spki' })],
    ['JWK', ({ key }) => JSON.stringify(key.publicJwk)],
    ['JWKS', ({ key }) => JSON.stringify({ keys: [key.publicJwk] })],
    ['nothing', () => ''],
  ];
  const cases = published.flatMap((key) => forms.map(([name, form]) => [name, key.key.algorithm, key, form] as const));

  test.each(cases)('%s of the key for %s', async (_, algorithm, key, form) => {
    for (const [alg, digest] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
      [algorithm, 'sha256'],
    ] as const) {
      const input = `${segment({ alg, typ: 'at+jwt', kid: key.key.keyId })}.${validPayload}`;
      const token = `${input}.${createHmac(digest, form(key)).update(input).digest('base64url')}`;
      await expectRejected(token, alg === algorithm ? 'the signature is not one of' : `its alg is "${alg}"`);
    }
  });
});

describe('a token without a signature is rejected with alg', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256'])('%j', async (alg) => {
    const unsigned = `${segment({ ...header, alg })}.${validPayload}.`;
    await expectRejected(unsigned, 'the signature is not base64url without padding');
    const withSignature = `${unsigned}${validSignature}`;
    await expectRejected(withSignature, `its alg is ${JSON.stringify(alg)}`);
    await expectRejected(unsigned.slice(0, -1), 'it does not consist of three segments');
  });
});

describe('nothing in a header selects a key or is fetched:', () => {
  const jwk = createPublicKey(foreign.privateKey).export({ format: 'jwk' });

  test('a token that names a URL causes no request', async () => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end(JSON.stringify({ keys: [foreign.key.publicJwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // Safe: it listens on a TCP port.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const name of ['jku', 'x5u', 'kid', 'iss']) {
      const injected = { ...header, [name]: `${url}/${name}` };
      await expect(verify(signJws(injected, claims, foreign.privateKey))).rejects.toThrow(AccessTokenError);
      const own = signJws({ ...header, jku: `${url}/own` }, claims, es256.privateKey);
      await expectRejected(own, 'the header has the parameter "jku"');
    }
    const otherIssuer = signJws(header, { ...claims, iss: url }, es256.privateKey);
    await expectRejected(otherIssuer, `its iss is "${url}"`);
    await new Promise((resolve) => server.close(resolve));
    expect(requests).toEqual([]);
  });

  const parameters = {
    jwk,
    jku: 'https://evil.example/jwks',
    x5u: 'https://evil.example/x5u',
    x5c: ['MIIB'],
    x5t: 'a',
    'x5t#S256': 'a',
    crit: ['exp'],
    b64: false,
    zip: 'DEF',
    cty: 'JWT',
    enc: 'A256GCM',
    epk: jwk,
    nonce: 'a',
    url: 'https://auth.example',
    iss: issuer,
    JWK: jwk,
    Alg: 'ES256',
    constructor: 'a',
    toString: 'a',
    '': 'a',
    'al\u0067\u200b': 'none',
  };
  test.each(Object.entries(parameters))('%j, whichever key signed it', async (name, value) => {
    const expected = `the header has the parameter ${JSON.stringify(name)}`;
    await expectRejected(signJws({ ...header, [name]: value }, claims, foreign.privateKey), expected);
    // Also the server itself never writes it, even with a value that has no effect.
    await expectRejected(signJws({ ...header, [name]: value }, claims, es256.privateKey), expected);
    await expectRejected(signJws({ ...header, [name]: null }, claims, es256.privateKey), expected);
  });

  test('a kid that is a path, a query or another text', async () => {
    const path = [
      '../../etc/passwd',
      "' OR 1=1 --",
      '/dev/null',
      'file:///dev/null',
      `${header.kid}\u0000`,
      ` ${header.kid}`,
    ];
    for (const kid of path)
      await expectRejected(signJws({ ...header, kid }, claims, es256.privateKey), 'no key of this server');
  });
});

describe('a JWT of another kind is rejected, although a key of this server signed it:', () => {
  const response = { iss: issuer, aud: 'billing', iat: START };

  test.each([
    ['with an active token', { active: true, ...claims }],
    ['with an inactive token', { active: false }],
  ])('an introspection response %s', async (_, token_introspection) => {
    const jwt = await es256.key.signIntrospectionResponse({ ...response, token_introspection });
    await expectRejected(jwt, 'is not an access token: its typ is "token-introspection+jwt"');
  });

  test('an introspection response with the claims of a token on its top level', async () => {
    const jwt = await es256.key.signIntrospectionResponse({
      ...response,
      ...claims,
      aud: 'billing',
      token_introspection: {},
    });
    await expectRejected(jwt, 'is not an access token: its typ is "token-introspection+jwt"');
  });

  test('its payload under the header of an access token', async () => {
    const jwt = await es256.key.signIntrospectionResponse({
      ...response,
      token_introspection: { active: true, ...claims },
    });
    await expectRejected([validHeader, ...jwt.split('.').slice(1)].join('.'), 'the signature is not one of');
    // If the key had signed it as an access token, the claims would not be those of one.
    const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString();
    await expectRejected(signJws(header, payload, es256.privateKey), 'has no sub');
  });

  test.each([
    'JWT',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'oauth-authz-req+jwt',
    'client-authentication+jwt',
    'at+JWS',
    'at',
  ])('%s', (typ) =>
    expectRejected(signJws({ ...header, typ }, claims, es256.privateKey), 'is not an access token: its typ is'),
  );
});

test('a token of another issuer is rejected, with any of its spellings', async () => {
  for (const iss of [
    'https://other.example',
    `${issuer}/`,
    `${issuer}:443`,
    `${issuer}.`,
    issuer.toUpperCase(),
    ` ${issuer}`,
    `${issuer}\u0000`,
  ])
    await expectRejected(await es256.key.sign({ ...claims, iss }), 'its iss is');
});

test('every prefix and every suffix of a token is rejected', async () => {
  const verifier = newVerifier();
  await verifier.verify(valid, now);
  for (let length = 0; length < valid.length; length += 1) {
    await expect(async () => verifier.verify(valid.slice(0, length), now)).rejects.toThrow(AccessTokenError);
    await expect(async () => verifier.verify(valid.slice(valid.length - length), now)).rejects.toThrow(
      AccessTokenError,
    );
  }
  expect(verifier.size.entries).toBe(1);
});

describe('a text of 1 MB is rejected by its length alone:', () => {
  const MB = 1024 * 1024;
  test.each([
    ['of dots', '.'.repeat(MB)],
    ['of letters', 'a'.repeat(MB)],
    ['of characters beyond ASCII', 'ä'.repeat(MB)],
    ['that begins with a token', valid.padEnd(MB, 'A')],
    ['that ends with a token', valid.padStart(MB, 'A')],
    ['of many tokens', `${valid} `.repeat(MB / (valid.length + 1))],
    ['whose payload is deeply nested', `${validHeader}.${segment('['.repeat((MB * 3) / 4))}.${validSignature}`],
    ['that its key signed', signJws(header, { ...claims, pad: 'a'.repeat(MB) }, es256.privateKey)],
  ])('%s', async (_, text) => {
    await expectRejected(text, `is ${text.length} characters long; at most 16384 are accepted`);
  });
});

/** Every byte that can be part of a token, and some that cannot. */
const bytes = [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.',
  ...'\u0000\t\n "+/=~\u007f\u00ff',
];

test('every change of a single byte of a token is rejected, and none replaces it in the cache', async () => {
  const verifier = newVerifier();
  const verified = await verifier.verify(valid, now);
  const accepted: string[] = [];
  for (let index = 0; index < valid.length; index += 1) {
    const others = bytes.filter((byte) => byte !== valid[index]);
    const changed = others.map((byte) => valid.slice(0, index) + byte + valid.slice(index + 1));
    const results = await Promise.allSettled(changed.map(async (token) => verifier.verify(token, now)));
    results.forEach((result, each) => {
      if (result.status === 'fulfilled') accepted.push(changed[each] ?? '');
      else if (!(result.reason instanceof AccessTokenError)) throw result.reason;
    });
  }
  expect(accepted).toEqual([]);
  expect(await verifier.verify(valid, now)).toBe(verified);
  expect(verifier.size.entries).toBe(1);
});

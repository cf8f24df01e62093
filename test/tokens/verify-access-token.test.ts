import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign } from 'jose';
import { describe, expect, test } from 'vitest';
import { AccessTokenError } from '../../src/tokens/access-token.ts';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import {
  type SigningAlgorithm,
  signingAlgorithmNames,
  signingAlgorithms,
} from '../../src/tokens/algorithms/signing-algorithm.ts';
import { readSigningKey, type SigningKey } from '../../src/tokens/signing-key.ts';
import { verifyAccessToken } from '../../src/tokens/verify-access-token.ts';
import { type KeyType, keyPair } from '../support/keys.ts';
import { segment, signJws } from '../support/sign-jws.ts';

const issuer = 'https://auth.example';
const claims: AccessTokenClaims = {
  iss: issuer,
  sub: 'billing',
  aud: 'https://api.example',
  client_id: 'billing',
  iat: 1_800_000_000,
  nbf: 1_800_000_000,
  exp: 1_800_000_300,
  jti: '0190a1c2',
  scope: 'read write',
  cnf: { 'x5t#S256': 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
};
const keyTypes: readonly KeyType[] = ['ec-p256', 'ec-p384', 'ec-p521', 'ed25519', 'rsa-2048', 'ml-dsa-44', 'ml-dsa-65'];
const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A key of the server with this algorithm. */
function keyFor(algorithm: SigningAlgorithm): Promise<SigningKey> {
  const pairs = keyTypes.map((type) => keyPair(type, { reuse: true }));
  const pair = pairs.find(({ privateKey }) => signingAlgorithms[algorithm].suits(privateKey));
  if (!pair) throw new Error(`no key suits ${algorithm}`);
  return readSigningKey(pem(pair.privateKey), algorithm);
}

const { privateKey, publicKey } = keyPair('ec-p256', { reuse: true });
const own = await keyFor('ES256');
const rsaKeys = keyPair('rsa-2048', { reuse: true });
const rsa = await keyFor('RS256');
const keys = new Map([own, rsa].map((key) => [key.keyId, key]));
const findKey = (keyId: string) => keys.get(keyId);
const verify = (token: string) => verifyAccessToken(token, issuer, findKey);
const header = { alg: 'ES256', typ: 'at+jwt', kid: own.keyId };
const valid = await own.sign(claims);
const [validHeader = '', validPayload = '', validSignature = ''] = valid.split('.');
const signed = (headerChanges: object, payload: object | string = claims, key = privateKey) =>
  signJws({ ...header, ...headerChanges }, payload, key);

/** The same bytes with other bits in the last character of their base64url. */
function respelled(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const spellings = [...alphabet].map((last) => text.slice(0, -1) + last).filter((spelling) => spelling !== text);
  const bytes = Buffer.from(text, 'base64url');
  const other = spellings.find((spelling) => Buffer.from(spelling, 'base64url').equals(bytes));
  if (other === undefined) throw new Error('its length is a multiple of three bytes');
  return other;
}

describe('verifying an access token accepts', () => {
  test.each(signingAlgorithmNames)('one that its key signed with %s', async (algorithm) => {
    const key = await keyFor(algorithm);
    const verified = await verifyAccessToken(await key.sign(claims), issuer, (keyId) =>
      keyId === key.keyId ? key : undefined,
    );
    expect(verified.key).toBe(key);
    expect(verified.token).toMatchObject({ clientId: 'billing', tokenId: '0190a1c2', expiresAt: 1_800_000_300 });
  });

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+jwt'])('the typ %s', async (typ) => {
    await expect(verify(signed({ typ }))).resolves.toMatchObject({ token: { clientId: 'billing' } });
  });

  test('a header with its parameters in another order', async () => {
    const { alg, typ, kid } = header;
    const token = signJws({ kid, typ, alg }, claims, privateKey);
    await expect(verify(token)).resolves.toMatchObject({ key: own });
  });

  test('tokens of two keys, each with its own', async () => {
    await expect(verify(await rsa.sign(claims))).resolves.toMatchObject({ key: rsa });
    await expect(verify(valid)).resolves.toMatchObject({ key: own });
  });
});

const foreign = keyPair('ec-p256', { reuse: false });
const foreignRsa = keyPair('rsa-2048', { reuse: false });
const spki = publicKey.export({ format: 'pem', type: 'spki' });
const hs256 = (secret: string | Buffer, kid: string) => {
  const input = `${segment({ alg: 'HS256', typ: 'at+jwt', kid })}.${validPayload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

describe('verifying an access token rejects', () => {
  const notSignature = 'the signature is not one of the key that its kid names';
  test.each<[string, string | Promise<string>, string]>([
    ['a token of another key under the same kid', signed({}, claims, foreign.privateKey), notSignature],
    ['an unknown kid', signed({ kid: 'other' }), 'no key of this server has the kid "other"'],
    [
      'the kid of another key of the server',
      signed({ kid: rsa.keyId }),
      'its alg is "ES256", and its key is for RS256',
    ],
    ['a kid that is a name of Object.prototype', signed({ kid: '__proto__' }), 'no key of this server'],
    ['an empty kid', signed({ kid: '' }), 'no key of this server has the kid ""'],
    ['a kid that is not a string', signed({ kid: [own.keyId] }), 'its kid is not a string'],
    ['no kid', signed({ kid: undefined }), 'the header has no kid'],
    [
      'another claim set under the same signature',
      `${validHeader}.${segment({ ...claims, sub: 'x' })}.${validSignature}`,
      notSignature,
    ],
    [
      'another header under the same signature',
      `${segment({ kid: header.kid, alg: header.alg, typ: header.typ })}.${validPayload}.${validSignature}`,
      notSignature,
    ],
    ['a signature of zeros', `${validHeader}.${validPayload}.${Buffer.alloc(64).toString('base64url')}`, notSignature],
    ['a signature in DER', signJws(header, claims, privateKey).replace(/[^.]*$/, derSignature()), notSignature],
    [
      'a signature that is cut off',
      `${validHeader}.${validPayload}.${Buffer.from(validSignature, 'base64url').subarray(1).toString('base64url')}`,
      notSignature,
    ],
    [
      'alg none without a signature',
      `${segment({ ...header, alg: 'none' })}.${validPayload}.`,
      'the signature is not base64url',
    ],
    ['alg none with a signature', signed({ alg: 'none' }), 'its alg is "none", and its key is for ES256'],
    ['alg None with a signature', signed({ alg: 'None' }), 'its alg is "None", and its key is for ES256'],
    [
      'HS256 with the public key as PEM',
      hs256(spki.toString(), own.keyId),
      'its alg is "HS256", and its key is for ES256',
    ],
    ['HS256 with the public key as JWK', hs256(JSON.stringify(own.publicJwk), own.keyId), 'its alg is "HS256"'],
    [
      'HS256 with the public RSA key',
      hs256(rsaKeys.publicKey.export({ format: 'der', type: 'spki' }), rsa.keyId),
      'its alg is "HS256"',
    ],
    [
      'RS256 under the kid of an EC key',
      signed({ alg: 'RS256' }, claims, foreignRsa.privateKey),
      'its alg is "RS256", and its key is for ES256',
    ],
    ['PS256 of a key for RS256', ps256(), 'its alg is "PS256", and its key is for RS256'],
    ['ES384 of a key for ES256', signed({ alg: 'ES384' }), 'its alg is "ES384", and its key is for ES256'],
    ['alg in lower case', signed({ alg: 'es256' }), 'its alg is "es256"'],
    ['no alg', signed({ alg: undefined }), 'the header has no alg'],
    ['an alg that is a list', signed({ alg: ['ES256'] }), 'its alg is not a string'],
    ['no typ', signed({ typ: undefined }), 'the header has no typ'],
    ...[
      'JWT',
      'at+jwt ',
      'jwt',
      '',
      'text/at+jwt',
      'application/application/at+jwt',
      'at+jwt;x=1',
      'dpop+jwt',
      'logout+jwt',
    ].map((typ): [string, string, string] => [
      `the typ ${JSON.stringify(typ)}`,
      signed({ typ }),
      'is not an access token: its typ is',
    ]),
    ['a typ that is a list', signed({ typ: ['at+jwt'] }), 'its typ is not a string'],
    ['crit', signed({ crit: ['exp'] }), 'the header has the parameter "crit"'],
    ['an empty crit', signed({ crit: [] }), 'the header has the parameter "crit"'],
    ['b64 false', signed({ b64: false, crit: ['b64'] }), 'the header has the parameter'],
    ['b64 true', signed({ b64: true }), 'the header has the parameter "b64"'],
    [
      'a key in the header',
      signed({ jwk: createPublicKey(foreign.privateKey).export({ format: 'jwk' }) }, claims, foreign.privateKey),
      'the header has the parameter "jwk"',
    ],
    ['the URL of a key', signed({ jku: 'https://evil.example/jwks' }), 'the header has the parameter "jku"'],
    ['a certificate in the header', signed({ x5c: ['MIIB'] }), 'the header has the parameter "x5c"'],
    [
      'a header parameter with a reserved name',
      signJws(`{"__proto__":{},${JSON.stringify(header).slice(1)}`, claims, privateKey),
      'the header has the parameter "__proto__"',
    ],
    [
      'a duplicate alg',
      signJws(`{"alg":"none",${JSON.stringify(header).slice(1)}`, claims, privateKey),
      'duplicate key "alg"',
    ],
    [
      'a duplicate kid',
      signJws(`${JSON.stringify(header).slice(0, -1)},"kid":"x"}`, claims, privateKey),
      'duplicate key "kid"',
    ],
    ['a header that is an array', signJws('[]', claims, privateKey), 'the header is not a JSON object'],
    ['a header that is null', signJws('null', claims, privateKey), 'the header is not a JSON object'],
    ['a header that is not JSON', signJws('{"alg"', claims, privateKey), 'the header is not valid JSON'],
    [
      'a header with a byte order mark',
      signJws(`\uFEFF${JSON.stringify(header)}`, claims, privateKey),
      'the header is not valid JSON',
    ],
    [
      'a header that is not UTF-8',
      `${Buffer.of(0x7b, 0xff, 0x7d).toString('base64url')}.${validPayload}.${validSignature}`,
      'the header is not UTF-8',
    ],
    ['a header that is too long', signed({ alg: 'a'.repeat(1024) }), 'the header is longer than 1024 characters'],
    [
      'a header that is nested deeply',
      signJws(`{"a":${'['.repeat(400)}${']'.repeat(400)}}`, claims, privateKey),
      'the header has the parameter "a"',
    ],
    ['a payload that is not JSON', signed({}, 'a'), 'the payload is not valid JSON'],
    [
      'a payload that is not UTF-8',
      `${validHeader}.${Buffer.of(0x22, 0xff, 0x22).toString('base64url')}.${validSignature}`,
      'the payload is not UTF-8',
    ],
    ['an empty text', '', 'it does not consist of three segments'],
    ['two segments', `${validHeader}.${validPayload}`, 'it does not consist of three segments'],
    ['four segments', `${valid}.`, 'it does not consist of three segments'],
    ['five segments, as an encrypted JWT has', `${valid}.a.b`, 'it does not consist of three segments'],
    ['an empty header', `.${validPayload}.${validSignature}`, 'the header is not base64url'],
    ['an empty payload', `${validHeader}..${validSignature}`, 'the payload is not base64url'],
    [
      'another spelling of the signature',
      `${validHeader}.${validPayload}.${respelled(validSignature)}`,
      'the signature is not base64url',
    ],
    ['a padded signature', `${valid}==`, 'the signature is not base64url'],
    ['a signature in base64', `${validHeader}.${validPayload}.${'+/'.repeat(43)}`, 'the signature is not base64url'],
    [
      'white space in the payload',
      `${validHeader}.${validPayload.slice(0, 8)} ${validPayload.slice(8)}.${validSignature}`,
      'the payload is not base64url',
    ],
    ['a line feed behind the signature', `${valid}\n`, 'the signature is not base64url'],
    ['characters beyond ASCII', `${validHeader}.${validPayload}.ä${validSignature}`, 'the signature is not base64url'],
    ['more than 16 KiB', signed({}, { ...claims, pad: 'a'.repeat(12_200) }), 'at most 16384 are accepted'],
    [
      'another issuer',
      own.sign({ ...claims, iss: 'https://other.example' }),
      'its iss is "https://other.example", and not https://auth.example',
    ],
    ['the issuer with a trailing slash', own.sign({ ...claims, iss: `${issuer}/` }), 'its iss is'],
    ['the issuer in another case', own.sign({ ...claims, iss: 'https://AUTH.example' }), 'its iss is'],
  ])('%s', async (_, token, reason) => {
    const verification = verify(await token);
    await expect(verification).rejects.toThrow(AccessTokenError);
    await expect(verification).rejects.toThrow(reason);
  });

  test('every token when the server has no key', async () => {
    const verification = verifyAccessToken(valid, issuer, () => undefined);
    await expect(verification).rejects.toThrow('no key of this server has the kid');
  });
});

test('an access token of 16 KiB is verified', async () => {
  const withPadding = (length: number) => signed({}, { ...claims, pad: 'a'.repeat(length) });
  const length = 16_384 - withPadding(0).length;
  const token = withPadding(Math.floor((length * 3) / 4));
  expect(token.length).toBeGreaterThan(16_380);
  expect(token.length).toBeLessThanOrEqual(16_384);
  await expect(verify(token)).resolves.toBeDefined();
});

test('a token with one character replaced, removed or inserted is rejected', async () => {
  const changes = fc.record({
    at: fc.nat(valid.length - 1),
    insert: fc.constantFrom('', ...'AZaz09-_.=+/ \n'),
    remove: fc.nat(1),
  });
  await fc.assert(
    fc.asyncProperty(changes, async ({ at, insert, remove }) => {
      const changed = valid.slice(0, at) + insert + valid.slice(at + remove);
      if (changed !== valid) await expect(verify(changed)).rejects.toThrow(AccessTokenError);
    }),
    { numRuns: 1_000 },
  );
});

test('three segments of any content are rejected with a reason, and never accepted', async () => {
  const content = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  const anyHeader = fc.record(
    {
      alg: fc.oneof(fc.constant('ES256'), fc.jsonValue()),
      typ: fc.oneof(fc.constant('at+jwt'), fc.jsonValue()),
      kid: fc.oneof(fc.constant(own.keyId), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(content, anyHeader), content, fc.uint8Array(), async (head, payload, signature) => {
      const token = `${segment(head)}.${segment(payload)}.${Buffer.from(signature).toString('base64url')}`;
      await expect(verify(token)).rejects.toThrow(AccessTokenError);
    }),
    { numRuns: 500 },
  );
});

/** The length of a DER signature differs from that of the two integers. */
function derSignature(): string {
  const der = Buffer.from(signJws(header, claims, privateKey).split('.')[2] ?? '', 'base64url');
  return Buffer.concat([
    Buffer.of(0x30, 0x44, 0x02, 0x20),
    der.subarray(0, 32),
    Buffer.of(0x02, 0x20),
    der.subarray(32),
  ]).toString('base64url');
}

/** A valid signature by the RSA key, with the padding of another algorithm. */
function ps256(): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'PS256', typ: 'at+jwt', kid: rsa.keyId })
    .sign(rsaKeys.privateKey);
}

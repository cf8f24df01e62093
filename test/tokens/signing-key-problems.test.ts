import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { type SigningAlgorithm, signingAlgorithmNames } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { generatePrivateKey } from '../../src/tokens/generate-key.ts';
import { privateJwkOf } from '../../src/tokens/key-jwk.ts';
import { type AlgorithmChoice, parseSigningKey } from '../../src/tokens/signing-key.ts';
import { keyProblems } from '../../src/tokens/signing-key-checks.ts';
import { type KeyType, keyPair, rsaPublicKey } from '../support/keys.ts';

const privateKey = (type: KeyType) => keyPair(type, { reuse: true }).privateKey;
const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
/** The members of a private JWK, with these changes. */
const jwk = (type: KeyType | KeyObject, changes: object = {}): string =>
  JSON.stringify({ ...(typeof type === 'string' ? privateKey(type) : type).export({ format: 'jwk' }), ...changes });
const rsaWith = (modulusLength: number, publicExponent = 0x10001) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;
const membersOf = (type: KeyType, reuse = true) => keyPair(type, { reuse }).privateKey.export({ format: 'jwk' });

async function problemsOf(text: string, choice: AlgorithmChoice = {}): Promise<readonly string[]> {
  const parsed = await parseSigningKey(text, choice);
  return parsed.ok ? [] : parsed.problems;
}

async function warningsOf(text: string): Promise<readonly string[]> {
  const parsed = await parseSigningKey(text);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.warnings;
}

describe('the algorithm of a key file is', () => {
  const ed25519 = privateKey('ed25519');
  test.each<[string, string, AlgorithmChoice, SigningAlgorithm]>([
    ['the default of its type', pem(ed25519), {}, 'EdDSA'],
    ['the required one', pem(ed25519), { required: 'Ed25519' }, 'Ed25519'],
    ['the preferred one if it suits', pem(ed25519), { preferred: 'Ed25519' }, 'Ed25519'],
    ['the default if the preferred one does not suit', pem(ed25519), { preferred: 'PS256' }, 'EdDSA'],
    ['that of its JWK', jwk('ed25519', { alg: 'Ed25519' }), {}, 'Ed25519'],
    ['that of its JWK before the preferred one', jwk('rsa-2048', { alg: 'PS384' }), { preferred: 'PS256' }, 'PS384'],
    ['that of ML-DSA', pem(privateKey('ml-dsa-65')), {}, 'ML-DSA-65'],
    ['that of an ML-DSA JWK', jwk('ml-dsa-44'), {}, 'ML-DSA-44'],
  ])('%s', async (_, text, choice, algorithm) => {
    const parsed = await parseSigningKey(text, choice);
    expect(parsed).toMatchObject({ ok: true, key: { algorithm, publicJwk: { alg: algorithm } } });
  });
});

/** Generating an RSA key takes a second. */
const generated = signingAlgorithmNames.filter((name) => name === 'PS256' || !/^[RP]S/.test(name));

test.each(generated)('a generated key for %s is parsed from its JWK, and has the same kid', async (algorithm) => {
  const { kid, ...members } = await privateJwkOf(await generatePrivateKey(algorithm), algorithm);
  const parsed = await parseSigningKey(JSON.stringify(members));
  expect(parsed).toMatchObject({ ok: true, key: { algorithm, keyId: kid } });
});

describe('a key is accepted with', () => {
  const sec1 = privateKey('ec-p384').export({ format: 'pem', type: 'sec1' }).toString();
  const pkcs1 = privateKey('rsa-2048').export({ format: 'pem', type: 'pkcs1' }).toString();
  test.each<[string, string]>([
    ['SEC 1', sec1],
    ['PKCS #1', pkcs1],
    [
      'explicit text and CRLF around it',
      `Bag Attributes\r\n${pem(privateKey('ec-p256')).replaceAll('\n', '\r\n')}\r\n`,
    ],
    ['a JWK with a byte order mark and white space', `\uFEFF \n${jwk('ec-p256')}\n`],
    ['use sig', jwk('ec-p256', { use: 'sig' })],
    ['key_ops sign', jwk('ec-p256', { key_ops: ['sign'] })],
    ['key_ops sign and verify', jwk('ec-p256', { key_ops: ['verify', 'sign'], use: 'sig' })],
    ['unknown members', jwk('ec-p256', { iat: 1, 'https://example': null, x5c: [] })],
    ['an RSA modulus of 2,048 bits', jwk('rsa-2048')],
  ])('%s', async (_, text) => {
    expect(await problemsOf(text)).toEqual([]);
    expect(await warningsOf(text)).toEqual([]);
  });
});

test.each([
  [2047, 65_537n, ['has an RSA key of 2047 bits; 2048 to 8192 are accepted']],
  [2048, 65_537n, []],
  [8192, 65_537n, []],
  [8192, 65_539n, []],
  [8193, 65_537n, ['has an RSA key of 8193 bits; 2048 to 8192 are accepted']],
  [2048, 65_535n, ['has an RSA key with exponent 65535; it must be odd and at least 65537']],
  [2048, 65_538n, ['has an RSA key with exponent 65538; it must be odd and at least 65537']],
  [2048, 2n ** 64n - 1n, []],
  [2048, 2n ** 64n + 1n, ['has an RSA key with an exponent of more than 64 bits']],
])('an RSA key of %d bits with exponent %d has the problems %j', (bits, exponent, problems) => {
  const spki = Buffer.from(rsaPublicKey({ bits, exponent }));
  expect(keyProblems(createPublicKey({ key: spki, format: 'der', type: 'spki' }))).toEqual(problems);
});

describe('a key is rejected with', () => {
  const other = membersOf('ec-p256', false);
  const otherRsa = membersOf('rsa-2048', false);
  const edMembers = membersOf('ed25519', false);
  test.each<[string, string | Promise<string>, AlgorithmChoice, string]>([
    ['a modulus of 1,024 bits', pem(rsaWith(1024)), {}, 'has an RSA key of 1024 bits; 2048 to 8192 are accepted'],
    ['a modulus of 2,047 bits', pem(rsaWith(2047)), {}, 'has an RSA key of 2047 bits'],
    [
      'exponent 3',
      pem(privateKey('rsa-2048-e3')),
      {},
      'has an RSA key with exponent 3; it must be odd and at least 65537',
    ],
    ['exponent 17 as a JWK', jwk(rsaWith(2048, 17)), {}, 'has an RSA key with exponent 17'],
    ['an even exponent', jwk('rsa-2048', { e: 'AQAA' }), {}, 'has an RSA key with exponent 65536; it must be odd'],
    ['exponent 1', jwk('rsa-2048', { e: 'AQ' }), {}, 'has an RSA key with exponent 1;'],
    [
      'an exponent of more than 64 bits',
      jwk('rsa-2048', { e: Buffer.alloc(9, 255).toString('base64url') }),
      {},
      'has an RSA key with an exponent of more than 64 bits',
    ],
    ['curve secp256k1', pem(privateKey('ec-secp256k1')), {}, 'unsupported key: ec secp256k1; use an EC key on P-256'],
    ['curve brainpoolP256r1', pem(privateKey('ec-brainpool-p256r1')), {}, 'unsupported key: ec brainpoolP256r1'],
    ['Ed448', pem(privateKey('ed448')), {}, 'unsupported key: ed448'],
    ['Ed448 as a JWK', jwk('ed448'), {}, 'unsupported key: ed448'],
    ['ML-DSA-87', pem(generateKeyPairSync('ml-dsa-87').privateKey), {}, 'unsupported key: ml-dsa-87'],
    [
      'RSASSA-PSS parameters',
      pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey),
      {},
      'unsupported key: rsa-pss',
    ],
    ['use enc', jwk('ec-p256', { use: 'enc' }), {}, 'its "use" is "enc", and must be "sig" or absent'],
    ['use null', jwk('ec-p256', { use: null }), {}, 'its "use" is null'],
    ['use in upper case', jwk('ec-p256', { use: 'SIG' }), {}, 'its "use" is "SIG"'],
    [
      'key_ops verify alone',
      jwk('ec-p256', { key_ops: ['verify'] }),
      {},
      'its "key_ops" is ["verify"], and must be ["sign"]',
    ],
    [
      'key_ops for encryption',
      jwk('ec-p256', { key_ops: ['encrypt', 'decrypt'] }),
      {},
      'its "key_ops" is ["encrypt","decrypt"]',
    ],
    [
      'key_ops for unrelated operations',
      jwk('ec-p256', { key_ops: ['sign', 'deriveKey'] }),
      {},
      'its "key_ops" is ["sign","deriveKey"]',
    ],
    ['key_ops twice', jwk('ec-p256', { key_ops: ['sign', 'sign'] }), {}, 'its "key_ops" is ["sign","sign"]'],
    ['no key_ops', jwk('ec-p256', { key_ops: [] }), {}, 'its "key_ops" is []'],
    ['key_ops as text', jwk('ec-p256', { key_ops: 'sign' }), {}, 'its "key_ops" is "sign"'],
    [
      'alg of another type',
      jwk('ec-p256', { alg: 'ES384' }),
      {},
      'ES384 is incompatible with the key (ec prime256v1); use ES256',
    ],
    ['alg of an RSA key', jwk('ec-p256', { alg: 'RS256' }), {}, 'RS256 is incompatible with the key (ec prime256v1)'],
    ['alg none', jwk('ec-p256', { alg: 'none' }), {}, 'unsupported algorithm "none"; use ES256'],
    ['alg HS256', jwk('ec-p256', { alg: 'HS256' }), {}, 'unsupported algorithm "HS256"'],
    ['alg ES256K', jwk('ec-secp256k1', { alg: 'ES256K' }), {}, 'unsupported key: ec secp256k1'],
    ['alg ECDH-ES', jwk('ec-p256', { alg: 'ECDH-ES' }), {}, 'unsupported algorithm "ECDH-ES"'],
    ['an empty alg', jwk('ec-p256', { alg: '' }), {}, 'unsupported algorithm ""'],
    ['an alg that is a list', jwk('ec-p256', { alg: ['ES256'] }), {}, 'its "alg" is ["ES256"], and must be a string'],
    [
      'alg EdDSA where Ed25519 is required',
      jwk('ed25519', { alg: 'EdDSA' }),
      { required: 'Ed25519' },
      'the key is for EdDSA (its "alg"), and COUNTERSIGN_SIGNING_ALG is Ed25519',
    ],
    [
      'alg Ed25519 where EdDSA is required',
      jwk('ed25519', { alg: 'Ed25519' }),
      { required: 'EdDSA' },
      'the key is for Ed25519 (its "alg")',
    ],
    [
      'a required algorithm of another type',
      pem(privateKey('ed25519')),
      { required: 'ES256' },
      'ES256 is incompatible with the key (ed25519); use EdDSA, Ed25519',
    ],
    [
      'alg ML-DSA-65 and a key for ML-DSA-44',
      jwk('ml-dsa-44', { alg: 'ML-DSA-65' }),
      {},
      'is a JWK (AKP ML-DSA-65) that is damaged',
    ],
    ['AKP without alg', jwk('ml-dsa-44', { alg: undefined }), {}, 'is a JWK (AKP) that is damaged'],
    [
      'a public key of another EC key',
      jwk('ec-p256', { x: other.x, y: other.y }),
      {},
      'is a JWK (EC P-256) whose private part is damaged or does not match',
    ],
    [
      'a private key of another EC key',
      jwk('ec-p256', { d: other.d }),
      {},
      'whose private part is damaged or does not match its public part',
    ],
    ['a point that is not on the curve', jwk('ec-p256', { y: other.y }), {}, 'is a JWK (EC P-256) that is damaged'],
    ['a private key of zero', jwk('ec-p256', { d: 'AA' }), {}, 'whose private part is damaged'],
    [
      'a private key as long as the order, and greater',
      jwk('ec-p256', { d: Buffer.alloc(32, 255).toString('base64url') }),
      {},
      'whose private part is damaged',
    ],
    [
      'a public key of another Ed25519 key',
      jwk('ed25519', { x: edMembers.x }),
      {},
      'is a JWK (OKP Ed25519) whose private part is damaged or does not match',
    ],
    [
      'a public key of another ML-DSA key',
      jwk('ml-dsa-44', { pub: (membersOf('ml-dsa-44', false) as JWK).pub }),
      {},
      'is a JWK (AKP ML-DSA-44) whose private part is damaged or does not match',
    ],
    ['a modulus of another RSA key', jwk('rsa-2048', { n: otherRsa.n }), {}, 'does not match its public part'],
    [
      'the private exponent of another RSA key',
      jwk('rsa-2048', { d: otherRsa.d }),
      {},
      'does not match its public part',
    ],
    ['a prime of another RSA key', jwk('rsa-2048', { p: otherRsa.p }), {}, 'does not match its public part'],
    ['dp of another RSA key', jwk('rsa-2048', { dp: otherRsa.dp }), {}, 'does not match its public part'],
    ['an RSA exponent that is not the one of d', jwk('rsa-2048', { e: 'AQAD' }), {}, 'does not match its public part'],
    [
      'an RSA key without primes',
      jwk('rsa-2048', { p: undefined, q: undefined }),
      {},
      'is an RSA key without "p", "q"',
    ],
    [
      'more than two primes',
      jwk('rsa-2048', { oth: [{ r: 'AQ', d: 'AQ', t: 'AQ' }] }),
      {},
      'more than two primes (its "oth")',
    ],
    [
      'an EC PEM whose public key is another one',
      mismatchedSec1(),
      {},
      'its private part does not match its public part',
    ],
    [
      'a symmetric JWK',
      JSON.stringify({ kty: 'oct', k: 'AAAA', alg: 'HS256' }),
      {},
      'is a JWK without the private key: it has no "d"',
    ],
    [
      'a symmetric JWK with d',
      JSON.stringify({ kty: 'oct', k: 'AAAA', d: 'AAAA' }),
      {},
      'is a JWK (oct) that is damaged, or of a type',
    ],
    ['a JWK without kty', jwk('ec-p256', { kty: undefined }), {}, 'is a JWK (P-256) that is damaged'],
    ['a JWK for key agreement', jwk(generateKeyPairSync('x25519').privateKey), {}, 'unsupported key: x25519'],
    [
      'a public AKP',
      JSON.stringify(keyPair('ml-dsa-44', { reuse: true }).publicKey.export({ format: 'jwk' })),
      {},
      'it has no "priv"',
    ],
    [
      'a duplicate member',
      jwk('ec-p256').replace('{', '{"d":"AAAA",'),
      {},
      'is a JWK with an ambiguous member: duplicate key "d"',
    ],
    ['members only inherited', `{"__proto__":${jwk('ec-p256')}}`, {}, 'it has no "d"'],
    ['a number instead of d', jwk('ec-p256', { d: 1 }), {}, 'whose private part is damaged'],
    ['a list as d', jwk('ec-p256', { d: ['AAAA'] }), {}, 'whose private part is damaged'],
  ])('%s', async (_, text, choice, problem) => {
    const problems = await problemsOf(await text, choice);
    expect(problems.join('; ')).toContain(problem);
  });
});

/** An EC key in SEC 1 whose optional public key (RFC 5915 §3) is that of another one. */
async function mismatchedSec1(): Promise<string> {
  const der = privateKey('ec-p256').export({ format: 'der', type: 'sec1' });
  const foreign = keyPair('ec-p256', { reuse: false }).privateKey.export({ format: 'der', type: 'sec1' });
  const point = 65;
  const mismatched = Buffer.concat([der.subarray(0, -point), foreign.subarray(-point)]);
  const base64 = mismatched.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN EC PRIVATE KEY-----\n${base64}\n-----END EC PRIVATE KEY-----\n`;
}

describe('all problems of a key are reported at once:', () => {
  test('of its members, its numbers and its algorithm', async () => {
    const text = jwk(rsaWith(1024, 3), { use: 'enc', key_ops: ['encrypt'], alg: 'RSA-OAEP' });
    expect(await problemsOf(text)).toEqual([
      'its "use" is "enc", and must be "sig" or absent',
      'its "key_ops" is ["encrypt"], and must be ["sign"], ["sign", "verify"] or absent',
      'has an RSA key of 1024 bits; 2048 to 8192 are accepted',
      'has an RSA key with exponent 3; it must be odd and at least 65537',
      'unsupported algorithm "RSA-OAEP"; use RS256, RS384, RS512, PS256, PS384, PS512',
    ]);
  });

  test('also if its private part cannot be parsed', async () => {
    const text = jwk('ec-p256', { d: 'AA', use: 'enc', alg: 'RS256' });
    expect(await problemsOf(text)).toEqual([
      'is a JWK (EC P-256) whose private part is damaged or does not match its public part',
      'its "use" is "enc", and must be "sig" or absent',
      'RS256 is incompatible with the key (ec prime256v1); use ES256',
    ]);
  });

  test('of the JWK and of the configuration', async () => {
    const problems = await problemsOf(jwk('ec-p256', { alg: 'ES384' }), { required: 'RS256' });
    expect(problems).toEqual([
      'the key is for ES384 (its "alg"), and COUNTERSIGN_SIGNING_ALG is RS256',
      'ES384 is incompatible with the key (ec prime256v1); use ES256',
      'RS256 is incompatible with the key (ec prime256v1); use ES256',
    ]);
  });
});

describe('several keys in one file are rejected, naming the setting for a directory:', () => {
  const one = pem(privateKey('ec-p256'));
  const two = pem(privateKey('ec-p384'));
  const oneJwk = jwk('ec-p256');
  const twoJwk = jwk('ed25519');
  const directory = 'put each key into a file of its own in one directory, and set COUNTERSIGN_SIGNING_KEYS_DIR';
  test.each([
    ['two PEM blocks', one + two, 'contains more than one private key, in lines 1 and 6'],
    ['the same PEM block twice', one + one, 'contains more than one private key'],
    [
      'a PEM block and an encrypted one',
      `${one}-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n`,
      'contains more than one private key',
    ],
    ['PEM, then a JWK', `${one}${oneJwk}`, 'contains more than one key'],
    ['a JWK, then PEM', `${oneJwk}\n${one}`, 'contains more than one key'],
    [
      'a JWK in pretty print, then PEM',
      `${JSON.stringify(JSON.parse(oneJwk), null, 2)}\n${one}`,
      'contains more than one key',
    ],
    ['two JWKs, one per line', `${oneJwk}\n${twoJwk}`, 'contains more than one key'],
    [
      'two JWKs in pretty print',
      [oneJwk, twoJwk].map((text) => JSON.stringify(JSON.parse(text), null, 2)).join('\n'),
      'contains more than one key',
    ],
    ['two JWKs without white space', oneJwk + twoJwk, 'contains more than one key'],
    ['an array of JWKs', `[${oneJwk},${twoJwk}]`, 'contains more than one key'],
    ['a JWK Set', JSON.stringify({ keys: [JSON.parse(oneJwk), JSON.parse(twoJwk)] }), 'contains more than one key'],
  ])('%s', async (_, text, problem) => {
    const [first = '', ...others] = await problemsOf(text);
    expect(others).toEqual([]);
    expect(first).toContain(problem);
    expect(first).toContain(directory);
  });

  test.each([
    ['a JWK Set of one key', JSON.stringify({ keys: [JSON.parse(oneJwk)] })],
    ['an array of one JWK', `[${oneJwk}]`],
    ['an empty JWK Set', '{"keys":[]}'],
    ['a JWK Set that is not a list', '{"keys":{}}'],
  ])('%s is not among them', async (_, text) => {
    expect(await problemsOf(text)).toEqual(['is a JWK Set; set it to one of its keys, a JWK with its private members']);
  });
});

describe('a warning states', () => {
  test('that another kid is not used', async () => {
    const { keyId } = await readKey(jwk('ec-p256'));
    expect(await warningsOf(jwk('ec-p256', { kid: 'own' }))).toEqual([
      `its "kid" is not used: the kid of a key is its thumbprint (RFC 7638), ${keyId}`,
    ]);
    expect(await warningsOf(jwk('ec-p256', { kid: keyId }))).toEqual([]);
  });

  test.each([
    ['ml-dsa-44', 'ML-DSA-44'],
    ['ml-dsa-65', 'ML-DSA-65'],
  ] as const)('that %s is experimental', async (type, algorithm) => {
    expect(await warningsOf(pem(privateKey(type)))).toEqual([
      expect.stringMatching(`^${algorithm} is experimental: few verifiers`),
    ]);
  });

  test('parts of the file that are not read', async () => {
    const { publicKey } = keyPair('ec-p256', { reuse: true });
    const text = pem(privateKey('ec-p256')) + publicKey.export({ format: 'pem', type: 'spki' });
    expect(await warningsOf(text)).toEqual([
      expect.stringMatching(/^line 6: contains a public key, which is not read/),
    ]);
  });
});

async function readKey(text: string) {
  const parsed = await parseSigningKey(text);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.key;
}

test('no problem quotes a part of the private key', async () => {
  const members = membersOf('rsa-2048');
  const secrets = [members.d, members.p, members.q, members.dp, members.dq, members.qi].map(String);
  const text = jwk('rsa-2048');
  const texts = [
    ...secrets.map((secret) => text.replace(secret, secret.slice(0, -4))),
    ...secrets.map((secret) => text.replace(`"${secret}"`, `"${secret}`)),
    ...secrets.map((secret) => text.replace(`"${secret}"`, secret)),
    ...secrets.map((secret) => text.replace(`"${secret}"`, `{"a":"${secret}"}`)),
    ...['alg', 'use', 'kid'].map((name) => jwk('rsa-2048', { [name]: 1 })),
    text.slice(0, -2),
    `${text}${text}`,
    pem(createPrivateKey({ key: JSON.parse(text), format: 'jwk' })).replace('MII', 'MIA'),
  ];
  for (const each of texts) {
    const problems = (await problemsOf(each)).join('; ');
    for (const secret of secrets) expect(problems).not.toContain(secret.slice(8, 24));
    expect(problems.length).toBeLessThan(600);
  }
});

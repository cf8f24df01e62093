import { describe, expect, test } from 'vitest';
import {
  isOlder,
  MAX_KEYRING_CHARACTERS,
  parseKeyring,
  StoredKeyringError,
  serializeKeyring,
} from '../../../../src/tokens/keyring/redis/stored-keyring.ts';
import { newKeyring, policy } from './stored-keys.ts';

const keyring = newKeyring();
const stored = JSON.parse(serializeKeyring(keyring));
const [key] = stored.keys;
const withKey = (members: object) => ({ ...stored, keys: [{ ...key, ...members }] });

test.each([
  ['two keys', keyring],
  ['a key without a time', newKeyring('RS256', { ...policy, rotation: undefined })],
])('a keyring with %s is parsed as it was serialized', (_, written) => {
  expect(parseKeyring(serializeKeyring(written))).toEqual(written);
});

test('times are stored in RFC 3339', () => {
  expect(key).toMatchObject({ published_at: '2026-11-01T00:00:00.000Z', signs_from: '2026-10-31T23:55:00.000Z' });
});

test.each([
  ['a time in seconds', withKey({ published_at: '2026-11-01T00:00:00Z' })],
  ['members of a later version', { ...stored, comment: 'x', keys: [{ ...key, note: 1 }] }],
])('a keyring with %s is accepted', (_, value) => {
  expect(parseKeyring(JSON.stringify(value)).keys[0]?.keyId).toBe(key.kid);
});

describe('a value is rejected', () => {
  test.each([
    ['that is not JSON', 'garbage', /^it is not JSON$/],
    ['that is empty', '', /^it is not JSON$/],
    ['of 1 MB and more', 'x'.repeat(MAX_KEYRING_CHARACTERS + 1), /^it has 1048577 characters$/],
    ['that is a number', '1', /^it is not an object$/],
    ['that is null', 'null', /^it is not an object$/],
    ['that is an array', '[]', /^it is not an object$/],
  ])('%s', (_, text, message) => {
    expect(() => parseKeyring(text)).toThrow(message);
    expect(() => parseKeyring(text)).toThrow(StoredKeyringError);
  });

  test.each([
    ['with a later format', { ...stored, format: 2 }, /"format" is 2, not 1: a newer version of Countersign/],
    ['without a format', { ...stored, format: undefined }, /"format" is missing, not 1$/],
    ['without an id', { ...stored, id: undefined }, /"id" is not base64url/],
    ['without a time of creation', { ...stored, created_at: undefined }, /"created_at" is not a time/],
    ['with version 0', { ...stored, version: 0 }, /"version" is 0, not a positive integer/],
    ['with a version that cannot increase', { ...stored, version: Number.MAX_SAFE_INTEGER }, /"version" is/],
    ['with a version that is text', { ...stored, version: '7' }, /"version" is "7"/],
    ['without keys', { ...stored, keys: [] }, /no "keys"/],
    ['with keys that are an object', { ...stored, keys: {} }, /no "keys"/],
    [
      'with an unknown algorithm',
      { ...stored, algorithm: 'HS256' },
      /"algorithm" is "HS256", which is not a supported/,
    ],
    ['with a key that is null', { ...stored, keys: [null] }, /keys\[0\] is not an object/],
    ['with a key for an unknown algorithm', withKey({ alg: 'none' }), /keys\[0\].alg is "none"/],
    ['with a key without a kid', withKey({ kid: undefined }), /keys\[0\].kid is not base64url/],
    ['with a kid that is not base64url', withKey({ kid: 'a b' }), /keys\[0\].kid is not base64url/],
    ['with a public key that is text', withKey({ jwk: 'x' }), /keys\[0\].jwk is not an object/],
    ['with a private key that is not sealed', withKey({ sealed: { d: 'x' } }), /keys\[0\].sealed is not base64url/],
    ['with a date in place of a time', withKey({ signs_from: '2026-11-01' }), /keys\[0\].signs_from is not a time/],
    ['with an impossible time', withKey({ signs_from: '2026-13-01T00:00:00Z' }), /keys\[0\].signs_from is not a time/],
    ['with a time in milliseconds', withKey({ published_at: 1 }), /keys\[0\].published_at is not a time/],
    ['with the same key twice', { ...stored, keys: [key, key] }, /two keys have the "kid"/],
  ])('%s', (_, value, message) => {
    expect(() => parseKeyring(JSON.stringify(value))).toThrow(message);
  });

  test('without quoting what may be a private key', () => {
    const secret = 'c2VjcmV0'.repeat(10);
    const values = [
      { ...stored, algorithm: secret },
      { ...stored, version: secret },
      withKey({ sealed: `${secret} ` }),
    ];
    for (const value of values) expect(() => parseKeyring(JSON.stringify(value))).not.toThrow(secret);
  });
});

describe('a keyring is older', () => {
  test.each([
    ['than a later version', { ...keyring, version: 2 }, { ...keyring, version: 3 }, true],
    ['never than the same version', keyring, keyring, false],
    [
      'than one that was created after it',
      keyring,
      { ...keyring, id: 'other', createdAt: keyring.createdAt + 1, version: 1 },
      true,
    ],
    [
      'never than one that was created before it',
      keyring,
      { ...keyring, id: 'other', createdAt: keyring.createdAt - 1, version: 9 },
      false,
    ],
  ])('%s', (_, one, other, expected) => {
    expect(isOlder(one, other)).toBe(expected);
  });
});

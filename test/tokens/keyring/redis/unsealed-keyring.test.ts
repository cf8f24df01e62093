import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TimedValueStore } from '../../../../src/redis/commands/timed-value.ts';
import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import { changeKeyring, createKeyring, resealedKeyring } from '../../../../src/tokens/keyring/redis/change-keyring.ts';
import { createSealer, type Sealer } from '../../../../src/tokens/keyring/redis/sealing.ts';
import { parseKeyring, type StoredKeyring } from '../../../../src/tokens/keyring/redis/stored-keyring.ts';
import { unsealKeyring } from '../../../../src/tokens/keyring/redis/unsealed-keyring.ts';
import { DAY, policy, START } from './stored-keys.ts';

const [keyA, keyB] = [randomBytes(32), randomBytes(32)];
const sealerOf = (...keys: [Buffer, ...Buffer[]]) => createSealer(keys, 'KEY_ENCRYPTION_KEY_FILE');
const maxQueueDelay = 1_000;

/** A value in memory, with a clock. The scripts have tests with Redis. */
class Memory implements TimedValueStore {
  text: string | undefined;
  time = START;
  read = async () => ({
    time: this.time,
    value: this.text === undefined ? ({ type: 'none' } as const) : ({ type: 'string', text: this.text } as const),
  });
  replace = async (expected: string | undefined, next: string) => {
    if (this.text !== expected) return false;
    this.text = next;
    return true;
  };
}

const optionsOf = (store: TimedValueStore, sealer: Sealer) => ({ store, sealer, policy, verify: () => {} });

async function created(algorithm: SigningAlgorithm, sealer: Sealer): Promise<StoredKeyring> {
  const store = new Memory();
  await createKeyring(optionsOf(store, sealer), { first: algorithm, algorithm: undefined });
  return parseKeyring(store.text ?? '');
}

let sealer: Sealer;
let keyring: StoredKeyring;
beforeAll(async () => {
  sealer = await sealerOf(keyA);
  keyring = await created('ES256', sealer);
});

const withFirst = (members: object): StoredKeyring => ({
  ...keyring,
  keys: keyring.keys.map((key, index) => (index === 0 ? { ...key, ...members } : key)),
});
const keyAt = (stored: StoredKeyring, index: number) => {
  const key = stored.keys[index];
  if (!key) throw new Error(`no key ${index}`);
  return key;
};

test.each(['ES256', 'ES512', 'EdDSA', 'Ed25519', 'ML-DSA-44'] as const)(
  'a generated key for %s signs',
  async (algorithm) => {
    const stored = await created(algorithm, sealer);
    const { keys, problem } = await unsealKeyring(stored, { sealer, maxQueueDelay });
    expect(problem).toBeUndefined();
    for (const { signer, keyId, publicJwk } of keys) {
      expect(signer?.keyId).toBe(keyId);
      expect(publicJwk).toEqual({ ...signer?.publicJwk });
    }
  },
);

test('a sealed key names the key-encryption key by its RFC 7638 thumbprint, and is not readable without it', async () => {
  const { sealed } = keyAt(keyring, 0);
  expect(decodeProtectedHeader(sealed)).toEqual({ alg: 'dir', enc: 'A256GCM', cty: 'jwk+json', kid: sealer.names[0] });
  await expect(compactDecrypt(sealed, keyB)).rejects.toThrow();
  const { plaintext } = await compactDecrypt(sealed, keyA);
  const { d } = JSON.parse(Buffer.from(plaintext).toString());
  expect(JSON.stringify(keyring)).not.toContain(d);
});

test('two seals of a key differ', async () => {
  const jwk = await sealer.unseal(keyAt(keyring, 0).sealed);
  expect(await sealer.seal(jwk, sealer.names[0])).not.toBe(await sealer.seal(jwk, sealer.names[0]));
});

describe('a keyring is rejected if', () => {
  const unseal = (stored: StoredKeyring) => unsealKeyring(stored, { sealer, maxQueueDelay });
  const forge = (jwk: object, key = keyA, header: object = {}) =>
    new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: sealer.names[0], ...header })
      .encrypt(key);

  test('a private key belongs to another public key', async () => {
    await expect(unseal(withFirst({ sealed: keyAt(keyring, 1).sealed }))).rejects.toThrow(/is the one of another key$/);
  });

  test('a private key is not sealed with the key-encryption key that it names', async () => {
    const sealed = await forge(await sealer.unseal(keyAt(keyring, 0).sealed), keyB);
    await expect(unseal(withFirst({ sealed }))).rejects.toThrow(/not sealed with the key-encryption key that it names/);
  });

  test('a key is used with another algorithm than the one that it was created for', async () => {
    const stored = await created('EdDSA', sealer);
    const changed = { ...stored, keys: stored.keys.map((key) => ({ ...key, algorithm: 'Ed25519' as const })) };
    await expect(unseal(changed)).rejects.toThrow(/not a key for Ed25519/);
  });

  test('a sealed key is not a JWK', async () => {
    await expect(unseal(withFirst({ sealed: await forge({ alg: 'ES256' }) }))).rejects.toThrow(/is unusable: /);
    await expect(unseal(withFirst({ sealed: await forge([]) }))).rejects.toThrow(/not a key for ES256/);
  });

  test.each([
    ['is not a JWE', 'AAAA'],
    ['has a header that is not JSON', 'AAAA..a.b.c'],
    ['names no key-encryption key', `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}..a.b.c`],
    ['names it by an object', `${Buffer.from('{"alg":"dir","kid":{}}').toString('base64url')}..a.b.c`],
  ])('a sealed key %s', async (_, sealed) => {
    await expect(unseal(withFirst({ sealed }))).rejects.toThrow(/is not a JWE that names its key-encryption key$/);
  });

  const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

  test('each single character of a sealed key is changed', async () => {
    const { sealed } = keyAt(keyring, 0);
    for (let index = 0; index < sealed.length; index += 7) {
      // The first bit of a character is always one of the bytes; its last ones may mean nothing.
      const other = BASE64URL[BASE64URL.indexOf(sealed[index] ?? '') ^ 32] ?? 'A';
      const changed = `${sealed.slice(0, index)}${other}${sealed.slice(index + 1)}`;
      const outcome = await unseal(withFirst({ sealed: changed })).catch(() => 'rejected' as const);
      // A change of the header may name another key-encryption key: then nothing signs.
      expect(outcome === 'rejected' || outcome.problem !== undefined).toBe(true);
    }
  });

  test.each([
    ['contains a private key', { kty: 'EC', crv: 'P-256', d: 'AAAA' }, /contains a private key/],
    ['is not a JWK', { kty: 'EC' }, /is not a valid JWK/],
    ['is symmetric', { kty: 'oct', k: 'AAAA' }, /contains a private key/],
  ])('a public key %s', async (_, publicJwk, message) => {
    await expect(unseal(withFirst({ publicJwk }))).rejects.toThrow(message);
  });

  test('a public key has another thumbprint', async () => {
    await expect(unseal(withFirst({ publicJwk: keyAt(keyring, 1).publicJwk }))).rejects.toThrow(
      /has another thumbprint/,
    );
  });

  test('a public key is for another algorithm', async () => {
    await expect(unseal(withFirst({ algorithm: 'RS256' }))).rejects.toThrow(/is not a key for RS256/);
  });
});

test('only the members of a public key are published', async () => {
  const publicJwk = { ...keyAt(keyring, 0).publicJwk, x5u: 'https://attacker.example', use: 'enc' };
  const { keys } = await unsealKeyring(withFirst({ publicJwk }), { sealer, maxQueueDelay });
  expect(keys[0]?.publicJwk).toEqual(keyAt(keyring, 0).publicJwk);
});

describe('without the right key-encryption key', () => {
  test('keys are published, and none signs', async () => {
    const other = await sealerOf(keyB);
    const { keys, problem } = await unsealKeyring(keyring, { sealer: other, maxQueueDelay });
    expect(keys.map(({ publicJwk }) => publicJwk)).toEqual(keyring.keys.map(({ publicJwk }) => publicJwk));
    expect(keys.every(({ signer }) => signer === undefined)).toBe(true);
    expect(problem).toBe(
      `sealed with the key-encryption key ${sealer.names[0]}, and COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE has ${other.names[0]}`,
    );
  });

  test('no key signs if that is the case for one of them', async () => {
    const other = await sealerOf(keyB);
    const sealed = await other.seal(await sealer.unseal(keyAt(keyring, 1).sealed), other.names[0]);
    const mixed = { ...keyring, keys: [keyAt(keyring, 0), { ...keyAt(keyring, 1), sealed }] };
    const { keys, problem } = await unsealKeyring(mixed, { sealer, maxQueueDelay });
    expect(problem).toContain(other.names[0]);
    expect(keys.every(({ signer }) => signer === undefined)).toBe(true);
    // Only the one that was sealed with our key-encryption key verifies tokens.
    expect(keys.map(({ keyId }) => keyId)).toEqual([keyAt(keyring, 0).keyId]);
  });
});

describe('a key is the same object in each version', () => {
  test('unless its time changes', async () => {
    const first = await unsealKeyring(keyring, { sealer, maxQueueDelay });
    const [, next] = keyring.keys;
    const changed = {
      ...keyring,
      keys: keyring.keys.map((key) => (key === next ? { ...key, signsFrom: START } : key)),
    };
    const second = await unsealKeyring(changed, { sealer, maxQueueDelay }, first);
    expect(second.keys[0]).toBe(first.keys[0]);
    expect(second.keys[1]).toMatchObject({ signsFrom: START });
    expect(second.keys[1]?.signer).toBe(first.keys[1]?.signer);
  });

  test('also when it is sealed anew', async () => {
    const both = await sealerOf(keyB, keyA);
    const first = await unsealKeyring(keyring, { sealer: both, maxQueueDelay });
    const resealed = await resealedKeyring(keyring, both);
    const second = await unsealKeyring(resealed, { sealer: both, maxQueueDelay }, first);
    expect(second.keys[0]).toBe(first.keys[0]);
    expect(resealed.keys.every(({ sealed }) => decodeProtectedHeader(sealed).kid === both.names[0])).toBe(true);
  });

  test('and what is sealed is checked in each version', async () => {
    const first = await unsealKeyring(keyring, { sealer, maxQueueDelay });
    const damaged = withFirst({ sealed: keyAt(keyring, 1).sealed });
    await expect(unsealKeyring(damaged, { sealer, maxQueueDelay }, first)).rejects.toThrow(/another key/);
  });
});

test('a new key is sealed with the key-encryption key of the others, until they are sealed anew', async () => {
  const store = new Memory();
  await createKeyring(optionsOf(store, sealer), { first: 'ES256', algorithm: undefined });
  const both = await sealerOf(keyB, keyA);
  store.time += 30 * DAY;
  const { after } = await changeKeyring(optionsOf(store, both), (each) => each);
  expect(after.keys).toHaveLength(3);
  expect(new Set(after.keys.map(({ sealed }) => decodeProtectedHeader(sealed).kid))).toEqual(new Set(sealer.names));
  const resealed = await changeKeyring(optionsOf(store, both), (each) => resealedKeyring(each, both));
  expect(new Set(resealed.after.keys.map(({ sealed }) => decodeProtectedHeader(sealed).kid))).toEqual(
    new Set([both.names[0]]),
  );
  expect(await resealedKeyring(resealed.after, both)).toBe(resealed.after);
});

test('a command whose settings differ from those of the servers schedules no rotation', async () => {
  const store = new Memory();
  const rare = { ...policy, rotation: 90 * DAY };
  await createKeyring({ ...optionsOf(store, sealer), policy: rare }, { first: 'ES256', algorithm: undefined });
  store.time += 60 * DAY;
  const { before, after } = await changeKeyring(optionsOf(store, sealer), (each) => each);
  expect(after).toBe(before);
});

import { describe, expect, test } from 'vitest';
import { keyPhases } from '../../../../src/tokens/keyring/lifecycle.ts';
import {
  KeyringChangeError,
  maintained,
  missingNextKeys,
  resealed,
  retired,
  rotated,
  withAlgorithm,
  withNextKeys,
  withoutKey,
} from '../../../../src/tokens/keyring/redis/changes.ts';
import type { StoredKeyring } from '../../../../src/tokens/keyring/redis/stored-keyring.ts';
import { DAY, HOUR, MINUTE, maintain, newKeyring, policy, START, sealedKey } from './stored-keys.ts';

const NEVER = Number.POSITIVE_INFINITY;
const statesAt = (keyring: StoredKeyring, now: number) =>
  keyPhases(keyring.keys, policy.retention, now).map(({ state }) => state);
const keyAt = (keyring: StoredKeyring, index: number) => {
  const key = keyring.keys[index];
  if (!key) throw new Error(`no key ${index}`);
  return key;
};

describe('a new keyring', () => {
  test('has a key that signs at once, and the next one', () => {
    expect(statesAt(newKeyring(), START)).toEqual(['signing', 'next']);
  });

  test('signs on a server whose clock is five minutes slow', () => {
    expect(statesAt(newKeyring(), START - 5 * MINUTE)).toEqual(['signing', 'next']);
  });

  test('schedules the next key one rotation after the first began', () => {
    const { keys } = newKeyring();
    expect(keys[1]?.signsFrom).toBe(START - 5 * MINUTE + 30 * DAY);
  });

  test('schedules no key if rotation is off', () => {
    expect(newKeyring('ES256', { ...policy, rotation: undefined }).keys[1]?.signsFrom).toBe(NEVER);
  });
});

describe('maintenance', () => {
  test('changes nothing while nothing is due', () => {
    const keyring = newKeyring();
    expect(maintain(keyring, START + 29 * DAY)).toBe(keyring);
  });

  test('publishes a further key as soon as the next one signs', () => {
    const keyring = newKeyring();
    const { signsFrom } = keyAt(keyring, 1);
    expect(missingNextKeys(keyring, signsFrom - 1)).toEqual([]);
    expect(missingNextKeys(keyring, signsFrom)).toEqual(['ES256']);
    expect(statesAt(maintain(keyring, signsFrom), signsFrom)).toEqual(['retired', 'signing', 'next']);
  });

  test('removes a retired key after the retention, and not before', () => {
    const keyring = newKeyring();
    const { signsFrom } = keyAt(keyring, 1);
    const after = maintain(keyring, signsFrom);
    expect(maintain(after, signsFrom + policy.retention - 1)).toBe(after);
    expect(maintain(after, signsFrom + policy.retention).keys).toEqual(after.keys.slice(1));
  });

  test('ignores a generated key that is no longer missing', () => {
    const keyring = newKeyring();
    expect(maintained(keyring, [sealedKey('ES256'), sealedKey('RS256')], policy, START)).toBe(keyring);
  });

  test.each([
    ['a longer rotation', 90 * DAY, START - 5 * MINUTE + 90 * DAY],
    ['a rotation that is over', HOUR, START + 10 * DAY + 5 * MINUTE],
    ['no rotation', undefined, NEVER],
  ])('follows a setting of %s', (_, rotation, expected) => {
    const changed = maintain(newKeyring(), START + 10 * DAY, { ...policy, rotation });
    expect(keyAt(changed, 1).signsFrom).toBe(expected);
  });

  test('moves no rotation that a server with a fast clock may have made', () => {
    const keyring = newKeyring();
    const now = keyAt(keyring, 1).signsFrom - 5 * MINUTE;
    expect(maintain(keyring, now, { ...policy, rotation: undefined })).toBe(keyring);
    expect(keyAt(maintain(keyring, now - 1, { ...policy, rotation: undefined }), 1).signsFrom).toBe(NEVER);
  });

  test('lets a key that was published late sign after publish-ahead only', () => {
    // Nothing was maintained for 60 days.
    const now = START + 60 * DAY;
    const keyring = maintain(newKeyring(), now, { ...policy, rotation: HOUR });
    expect(statesAt(keyring, now)).toEqual(['signing', 'next']);
    expect(keyAt(keyring, 1).signsFrom).toBe(now + DAY);
  });
});

describe('a rotation by command', () => {
  test('lets the next key sign after the time by which clocks may differ', () => {
    const now = START + DAY;
    const keyring = rotated(newKeyring(), 'ES256', policy, now);
    expect(keyAt(keyring, 1).signsFrom).toBe(now + 5 * MINUTE);
  });

  test('is not undone by maintenance', () => {
    const now = START + DAY;
    const keyring = maintain(rotated(newKeyring(), 'ES256', policy, now), now);
    for (const later of [0, MINUTE, 5 * MINUTE, HOUR])
      expect(keyAt(maintain(keyring, now + later), 1).signsFrom).toBe(now + 5 * MINUTE);
  });

  test('is rejected while the next key has not been published for long enough', () => {
    expect(() => rotated(newKeyring(), 'ES256', policy, START + DAY - 1)).toThrow(
      /has been published since .*: it can sign from 2026-11-02T00:00:00Z, when verifiers have it/,
    );
  });

  test('changes nothing if the next key is about to sign', () => {
    const keyring = rotated(newKeyring(), 'ES256', policy, START + DAY);
    expect(rotated(keyring, 'ES256', policy, START + DAY + MINUTE)).toBe(keyring);
  });

  test('of an algorithm without keys is rejected', () => {
    expect(() => rotated(newKeyring(), 'RS256', policy, START + DAY)).toThrow(KeyringChangeError);
  });
});

describe('a key that is removed at once', () => {
  const now = START + 10 * DAY;

  test('is replaced by the next key, on servers with slow clocks as well', () => {
    const keyring = newKeyring();
    const after = maintain(withoutKey(keyring, keyAt(keyring, 0).keyId, now), now);
    expect(after.keys.map(({ keyId }) => keyId)).not.toContain(keyAt(keyring, 0).keyId);
    expect(keyAt(after, 0).keyId).toBe(keyAt(keyring, 1).keyId);
    for (const clock of [now - 5 * MINUTE, now, now + 5 * MINUTE])
      expect(statesAt(after, clock)).toEqual(['signing', 'next']);
  });

  test.each([
    ['is scheduled one rotation later', policy, now - 5 * MINUTE + 30 * DAY],
    ['has no time if rotation is off', { ...policy, rotation: undefined }, NEVER],
  ])('after a rotation that has not begun: the new next key %s', (_, settings, expected) => {
    const keyring = rotated(newKeyring('ES256', settings), 'ES256', settings, now);
    const command = withNextKeys(withoutKey(keyring, keyAt(keyring, 0).keyId, now), [sealedKey()], now);
    expect(command.keys.map(({ signsFrom }) => signsFrom)).toEqual([now - 5 * MINUTE, NEVER]);
    expect(statesAt(command, now - 5 * MINUTE)).toEqual(['signing', 'next']);
    const maintained = maintain(command, now + MINUTE, settings);
    expect(maintained.keys.map(({ signsFrom }) => signsFrom)).toEqual([now - 5 * MINUTE, expected]);
  });

  test('lets the key before it expire no earlier', () => {
    const first = newKeyring();
    const rotation = keyAt(first, 1).signsFrom;
    const keyring = maintain(first, rotation);
    const after = withoutKey(keyring, keyAt(keyring, 1).keyId, rotation + HOUR);
    const [phase] = keyPhases(after.keys, policy.retention, rotation + HOUR);
    expect(phase).toMatchObject({ state: 'retired', key: { keyId: keyAt(first, 0).keyId } });
    expect(phase?.until).toBeGreaterThanOrEqual(rotation + policy.retention);
  });

  test('was retired: the key that signs goes on, on servers with slow clocks as well', () => {
    const first = newKeyring();
    const rotation = keyAt(first, 1).signsFrom;
    const keyring = maintain(first, rotation);
    const after = withoutKey(keyring, keyAt(keyring, 0).keyId, rotation + MINUTE);
    expect(statesAt(after, rotation - 4 * MINUTE)).toEqual(['signing', 'next']);
  });

  test('was the next one: another one is published', () => {
    const keyring = newKeyring();
    const after = maintain(withoutKey(keyring, keyAt(keyring, 1).keyId, now), now);
    expect(statesAt(after, now)).toEqual(['signing', 'next']);
    expect(keyAt(after, 1)).toMatchObject({ publishedAt: now });
  });

  test('increases the version by so much that no lost change undoes it', () => {
    const keyring = newKeyring();
    expect(withoutKey(keyring, keyAt(keyring, 0).keyId, now).version).toBe(keyring.version + 1_000);
  });

  test.each(['ES256-unknown', ''])('must be in the keyring: %j', (keyId) => {
    expect(() => withoutKey(newKeyring(), keyId, now)).toThrow(/no key with this kid/);
  });
});

describe('a key that is retired by command', () => {
  const now = START + 10 * DAY;

  test('stays published if it signs', () => {
    const keyring = newKeyring();
    const after = maintain(retired(keyring, keyAt(keyring, 0).keyId, policy, now), now);
    expect(statesAt(after, now)).toEqual(['signing', 'next']);
    expect(statesAt(maintain(after, now + 5 * MINUTE), now + 5 * MINUTE)).toEqual(['retired', 'signing', 'next']);
  });

  test('is removed if it has not signed yet', () => {
    const keyring = newKeyring();
    const after = retired(keyring, keyAt(keyring, 1).keyId, policy, now);
    expect(after.keys).toEqual(keyring.keys.slice(0, 1));
  });

  test('is not removed while it may sign on a server whose clock is fast', () => {
    const keyring = newKeyring();
    const { keyId, signsFrom } = keyAt(keyring, 1);
    const retireAt = (time: number) => retired(keyring, keyId, policy, time);
    expect(retireAt(signsFrom - 5 * MINUTE - 1).keys).toEqual(keyring.keys.slice(0, 1));
    for (const time of [signsFrom - 5 * MINUTE, signsFrom - 1]) {
      expect(() => retireAt(time)).toThrow(
        `${keyId} signs from 2026-11-30T23:55:00Z: a server whose clock is fast may sign with it already, and its tokens would be rejected. Retire it after that. If it has leaked, add --now`,
      );
    }
  });

  test('is not changed if it is retired', () => {
    const first = newKeyring();
    const rotation = keyAt(first, 1).signsFrom;
    const keyring = maintain(first, rotation);
    expect(() => retired(keyring, keyAt(keyring, 0).keyId, policy, rotation)).toThrow(/is retired already/);
  });
});

describe('a further algorithm', () => {
  test('signs once its first key has been published for long enough', () => {
    const keyring = maintain(withAlgorithm(newKeyring(), sealedKey('RS256'), policy, START + HOUR), START + HOUR);
    const ofRsa = { ...keyring, keys: keyring.keys.filter(({ algorithm }) => algorithm === 'RS256') };
    expect(statesAt(ofRsa, START + HOUR + DAY - 1)).toEqual(['next', 'next']);
    expect(statesAt(ofRsa, START + HOUR + DAY)).toEqual(['signing', 'next']);
  });

  test('begins although rotation is off', () => {
    const off = { ...policy, rotation: undefined };
    const keyring = maintain(withAlgorithm(newKeyring('ES256', off), sealedKey('RS256'), off, START), START, off);
    expect(keyring.keys.slice(2).map(({ signsFrom }) => signsFrom)).toEqual([START + DAY, NEVER]);
    expect(maintain(keyring, START + HOUR, off)).toBe(keyring);
  });

  test('leaves the other keys as they are', () => {
    const keyring = newKeyring();
    const after = maintain(withAlgorithm(keyring, sealedKey('RS256'), policy, START), START);
    expect(after.keys.slice(0, 2)).toEqual(keyring.keys);
  });

  test('is rejected if its first key is that of another algorithm, whose thumbprint it has', () => {
    const key = sealedKey('RS256');
    const keyring = withAlgorithm(newKeyring(), key, policy, START);
    expect(() => withAlgorithm(keyring, { ...key, algorithm: 'PS256' }, policy, START)).toThrow(
      /has this key, RS256-\d+, for RS256: use another one/,
    );
  });

  test('is rejected if the keyring has it', () => {
    expect(() => withAlgorithm(newKeyring(), sealedKey('ES256'), policy, START)).toThrow(/has keys for ES256/);
  });
});

describe('private keys that are sealed anew', () => {
  test('change nothing else', () => {
    const keyring = newKeyring();
    const after = resealed(keyring, new Map([[keyAt(keyring, 1).keyId, 'eyJ9..new..']]));
    expect(after).toEqual({
      ...keyring,
      version: keyring.version + 1,
      keys: [keyAt(keyring, 0), { ...keyAt(keyring, 1), sealed: 'eyJ9..new..' }],
    });
  });

  test('are no change if there are none', () => {
    const keyring = newKeyring();
    expect(resealed(keyring, new Map())).toBe(keyring);
  });
});

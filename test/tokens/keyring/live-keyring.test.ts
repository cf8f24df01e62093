import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SigningAlgorithm } from '../../../src/tokens/algorithms/signing-algorithm.ts';
import type { KeyringKey } from '../../../src/tokens/keyring/live-keyring.ts';
import { changingKeyring } from '../../support/changing-keyring.ts';

const RETENTION = 100;

/** A key that signs with its `kid`. */
function key(keyId: string, signsFrom: number, algorithm: SigningAlgorithm = 'ES256', canSign = true): KeyringKey {
  const publicJwk = { kty: 'EC', kid: keyId };
  const sign = () => keyId;
  const signer = { keyId, algorithm, publicJwk, sign, signIntrospectionResponse: sign };
  return { keyId, algorithm, publicJwk, signsFrom, signer: canSign ? signer : undefined };
}

function open(keys: readonly KeyringKey[], algorithm?: SigningAlgorithm) {
  const clock = { now: 0 };
  const changing = changingKeyring([], { retention: RETENTION, now: () => clock.now });
  changing.set(keys, { algorithm });
  const { keyring } = changing;
  const kids = () => keyring.published.map(({ keyId }) => keyId).join();
  return { clock, changing, keyring, kids };
}

describe('the keyring', () => {
  test('signs with the key that began last, and publishes it before and after', () => {
    const { clock, keyring, kids } = open([key('a', -1), key('b', 50), key('c', 60)]);
    const signing = () => keyring.signingKey().keyId;
    expect([signing(), kids()]).toEqual(['a', 'a,b,c']);
    clock.now = 49;
    expect([signing(), kids()]).toEqual(['a', 'a,b,c']);
    clock.now = 50;
    expect([signing(), kids()]).toEqual(['b', 'a,b,c']);
    clock.now = 149;
    expect([signing(), kids()]).toEqual(['c', 'a,b,c']);
    clock.now = 150;
    expect([signing(), kids(), keyring.find('a')]).toEqual(['c', 'b,c', undefined]);
    clock.now = 160;
    expect([signing(), kids()]).toEqual(['c', 'c']);
  });

  test('follows a clock that is set back', () => {
    const { clock, keyring, kids } = open([key('a', -1), key('b', 50)]);
    clock.now = 200;
    expect([keyring.signingKey().keyId, kids()]).toEqual(['b', 'b']);
    clock.now = 0;
    expect([keyring.signingKey().keyId, kids()]).toEqual(['a', 'a,b']);
  });

  test('has the same arrays and keys until they change, so that documents are rendered once', () => {
    const { clock, changing, keyring } = open([key('a', -1), key('b', 50), key('c', -1, 'EdDSA')]);
    const [published, algorithms, found] = [keyring.published, keyring.algorithms, keyring.find('a')];
    clock.now = 50;
    expect(keyring.signingKey('ES256').keyId).toBe('b');
    changing.set(changing.keyring.published as KeyringKey[], { algorithm: 'ES256' });
    expect(keyring.published).toBe(published);
    expect(keyring.algorithms).toBe(algorithms);
    expect(keyring.find('a')).toBe(found);
    clock.now = 150;
    expect(keyring.published).not.toBe(published);
    expect(keyring.algorithms).toBe(algorithms);
  });

  test.each<[string, SigningAlgorithm | undefined, readonly string[]]>([
    ['the latest to begin, by default', undefined, ['EdDSA', 'ES256']],
    ['the configured one', 'ES256', ['ES256', 'EdDSA']],
    ['none, if the configured one has no signing key', 'ES384', []],
  ])('has its own algorithm first: %s', (_, algorithm, expected) => {
    const keys = [key('a', -2), key('b', -1, 'EdDSA'), key('c', 50, 'ES384')];
    expect(open(keys, algorithm).keyring.algorithms).toEqual(expected);
  });

  test('that has never been read does not deny that a key is its own', () => {
    const { changing, keyring } = open([]);
    expect(() => keyring.find('a')).toThrow(expect.objectContaining({ error: 'temporarily_unavailable' }));
    changing.set([key('b', -1)]);
    expect(keyring.find('a')).toBeUndefined();
  });

  test('has no algorithm whose key cannot sign here, publishes that key, and reports why it is not ready', () => {
    const { keyring, kids } = open([key('a', -1, 'ES256', false)]);
    expect([keyring.algorithms, kids()]).toEqual([[], 'a']);
    expect(keyring.notReadyReason).toBe('no key of the keyring signs');
    expect(() => keyring.signingKey()).toThrow('no key of the keyring signs at the moment');
    expect(() => keyring.signingKey('ES256')).toThrow('no key of the keyring signs ES256');
  });

  test('signs nothing while its source is not ready, and still verifies', () => {
    const { changing, keyring } = open([key('a', -1)]);
    changing.notReadyReason = 'the keyring is sealed';
    expect(keyring.notReadyReason).toBe('the keyring is sealed');
    expect(() => keyring.signingKey()).toThrow('the keyring is sealed');
    expect(keyring.find('a')?.keyId).toBe('a');
  });
});

test('whatever the keys and the time, the keyring signs with a published key, and publishes each key that has signed until its tokens have expired', () => {
  const times = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 6 });
  const walk = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 12 });
  const check = (starts: readonly number[], steps: readonly number[]) => {
    const { clock, keyring } = open(starts.map((signsFrom, index) => key(`k${index}`, signsFrom)));
    clock.now = -600;
    const signed = new Map<string, number>();
    for (const step of steps) {
      clock.now += step;
      for (const [keyId, at] of signed) if (clock.now < at + RETENTION) expect(keyring.find(keyId)?.keyId).toBe(keyId);
      expect(keyring.notReadyReason === undefined).toBe(starts.some((signsFrom) => signsFrom <= clock.now));
      if (keyring.notReadyReason !== undefined) continue;
      const { keyId } = keyring.signingKey();
      expect(keyring.find(keyId)?.keyId).toBe(keyId);
      signed.set(keyId, clock.now);
    }
  };
  fc.assert(fc.property(times, walk, check));
});

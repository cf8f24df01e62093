import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import type { RotationPolicy } from '../../../../src/tokens/keyring/key-policy.ts';
import { keyPhases } from '../../../../src/tokens/keyring/lifecycle.ts';
import {
  KeyringChangeError,
  retired,
  rotated,
  withAlgorithm,
  withoutKey,
} from '../../../../src/tokens/keyring/redis/changes.ts';
import type { StoredKey, StoredKeyring } from '../../../../src/tokens/keyring/redis/stored-keyring.ts';
import { DAY, HOUR, MINUTE, maintain, newKeyring, policy, START, sealedKey } from './stored-keys.ts';

/**
 * A keyring, and servers that follow it, over months: what servers and operators do in any order, with settings that
 * differ, and clocks that differ by five minutes. A change that was computed from a value that is not the current one, or too
 * long ago, is not written, and neither is one whose server was killed.
 */
class History {
  keyring = newKeyring();
  now = START;
  /** Of each token that may be presented: its key, and when it expires. */
  tokens: { readonly keyId: string; readonly expiresAt: number }[] = [];
  /** Removed for a compromise. */
  readonly removed = new Set<string>();
  /** Keys that may sign before they have been published for long enough: the first, and after a compromise. */
  readonly unseen = new Set<string>();
  readonly clocks: readonly number[];
  pending: { readonly base: StoredKeyring; readonly next: StoredKeyring; readonly at: number } | undefined;

  constructor(clocks: readonly number[]) {
    this.clocks = clocks;
    for (const { keyId } of this.signing()) this.unseen.add(keyId);
  }

  /** The keys that sign on each server. */
  signing(keyring = this.keyring): readonly StoredKey[] {
    return this.clocks.flatMap((clock) =>
      keyPhases(keyring.keys, policy.retention, this.now + clock).flatMap(({ key, state }) =>
        state === 'signing' ? [key] : [],
      ),
    );
  }

  issueTokens(): void {
    for (const clock of this.clocks)
      for (const { key, state } of keyPhases(this.keyring.keys, policy.retention, this.now + clock))
        if (state === 'signing') this.tokens.push({ keyId: key.keyId, expiresAt: this.now + clock + DAY });
  }

  change(settings: RotationPolicy, step: (keyring: StoredKeyring) => StoredKeyring): void {
    try {
      this.keyring = maintain(step(maintain(this.keyring, this.now, settings)), this.now, settings);
    } catch (error) {
      if (!(error instanceof KeyringChangeError)) throw error;
    }
  }

  remove(index: number): void {
    const key = this.keyring.keys[index % this.keyring.keys.length];
    if (!key) return;
    const before = this.keyring;
    this.change(policy, (keyring) => withoutKey(keyring, key.keyId, this.now));
    if (this.keyring === before) return;
    this.removed.add(key.keyId);
    for (const { keyId } of this.signing()) this.unseen.add(keyId);
  }

  write(): void {
    const { pending } = this;
    if (pending && pending.base === this.keyring && this.now - pending.at <= 10_000) this.keyring = pending.next;
    this.pending = undefined;
  }

  check(): void {
    const algorithms = new Set(this.keyring.keys.map(({ algorithm }) => algorithm));
    for (const clock of this.clocks) this.checkServer(this.now + clock, algorithms);
  }

  private checkServer(now: number, algorithms: ReadonlySet<SigningAlgorithm>): void {
    const phases = keyPhases(this.keyring.keys, policy.retention, now);
    for (const algorithm of algorithms) {
      const signing = phases.filter(({ key, state }) => key.algorithm === algorithm && state === 'signing');
      const hasBegun = phases.some(({ key, state }) => key.algorithm === algorithm && state !== 'next');
      expect(signing.length).toBe(hasBegun ? 1 : 0);
      for (const { key } of signing)
        if (!this.unseen.has(key.keyId)) expect(now).toBeGreaterThanOrEqual(key.publishedAt + policy.publishAhead);
    }
    const published = new Set(phases.filter(({ state }) => state !== 'expired').map(({ key }) => key.keyId));
    this.tokens = this.tokens.filter(({ keyId, expiresAt }) => expiresAt > this.now - HOUR && !this.removed.has(keyId));
    for (const { keyId, expiresAt } of this.tokens) if (expiresAt > now) expect(published).toContain(keyId);
  }
}

const settings = [policy, { ...policy, rotation: 3 * DAY }, { ...policy, rotation: undefined }] as const;
const algorithms = ['ES256', 'EdDSA', 'RS256'] as const;

/** What may happen, with its weight. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 * DAY }).map((by) => ['wait', by] as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 10 * MINUTE }).map((by) => ['wait', by] as const) },
  { weight: 4, arbitrary: fc.constantFrom(...settings).map((by) => ['maintain', by] as const) },
  { weight: 2, arbitrary: fc.constantFrom(...settings).map((by) => ['read', by] as const) },
  { weight: 2, arbitrary: fc.constant(['write'] as const) },
  { weight: 2, arbitrary: fc.constantFrom(...algorithms).map((algorithm) => ['rotate', algorithm] as const) },
  { weight: 1, arbitrary: fc.nat(10).map((index) => ['retire', index] as const) },
  { weight: 1, arbitrary: fc.nat(10).map((index) => ['remove', index] as const) },
  { weight: 1, arbitrary: fc.constantFrom(...algorithms).map((algorithm) => ['add', algorithm] as const) },
);

type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

function apply(history: History, [name, parameter]: Event): void {
  switch (name) {
    case 'wait':
      history.now += parameter;
      return;
    case 'maintain':
      history.keyring = maintain(history.keyring, history.now, parameter);
      return;
    case 'read':
      history.pending = {
        base: history.keyring,
        next: maintain(history.keyring, history.now, parameter),
        at: history.now,
      };
      return;
    case 'write':
      history.write();
      return;
    case 'rotate':
      history.change(policy, (keyring) => rotated(keyring, parameter, policy, history.now));
      return;
    case 'retire':
      history.change(policy, (keyring) => {
        const key = keyring.keys[parameter % keyring.keys.length];
        return key ? retired(keyring, key.keyId, policy, history.now) : keyring;
      });
      return;
    case 'remove':
      history.remove(parameter);
      return;
    case 'add':
      history.change(policy, (keyring) => withAlgorithm(keyring, sealedKey(parameter), policy, history.now));
  }
}

/** Servers and Redis, which is at 0, differ by at most five minutes. */
const clocks = fc
  .tuple(
    fc.integer({ min: -5 * MINUTE, max: 0 }),
    fc.array(fc.integer({ min: 0, max: 5 * MINUTE }), { minLength: 2, maxLength: 3 }),
  )
  .map(([slowest, offsets]) => [slowest, ...offsets.map((offset) => Math.min(slowest + offset, 5 * MINUTE))]);

test('a keyring keeps its promises in every history', () => {
  fc.assert(
    fc.property(clocks, fc.array(event, { maxLength: 80 }), (offsets, events) => {
      const history = new History(offsets);
      for (const each of events) {
        history.issueTokens();
        const { version } = history.keyring;
        apply(history, each);
        expect(history.keyring.version).toBeGreaterThanOrEqual(version);
        history.issueTokens();
        history.check();
      }
    }),
    {
      numRuns: 150,
      examples: [
        // The next key begins to sign on the third server, and is retired.
        [
          [0, 0, 3_128],
          [
            ['wait', DAY],
            ['rotate', 'ES256'],
            ['wait', 5 * MINUTE - 3_128],
            ['retire', 1],
          ],
        ],
      ],
    },
  );
});

test('maintenance of a maintained keyring changes nothing', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.constantFrom(...settings), (events, by) => {
      const history = new History([0]);
      for (const each of events) apply(history, each);
      const once = maintain(history.keyring, history.now, by);
      expect(maintain(once, history.now, by)).toBe(once);
    }),
    { numRuns: 300 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LoadResult, NearCache } from '../../src/cache/near-cache.ts';

/** Numbers the changes of all keys in their order. A value is the number of the change that wrote or removed it. */
type Change = number;

interface PendingLoad {
  readonly key: string;
  /** What the store held when the request reached it; undefined until then. */
  seen: LoadResult<Change> | undefined;
  readonly reply: (result: LoadResult<Change>) => void;
  readonly fail: () => void;
}

const absent: LoadResult<Change> = { kind: 'absent', value: 0, bytes: 0 };

/** `which` selects one of the pending loads. */
type Step =
  | { readonly kind: 'find' | 'write' | 'remove'; readonly key: string }
  | { readonly kind: 'arrive' | 'reply' | 'fail'; readonly which: number }
  | { readonly kind: 'announce' | 'disconnect' | 'connect' | 'wait' };

/** A store, the connection to it, and the connection on which it announces changes, driven step by step. */
class Simulation {
  readonly #content = new Map<string, LoadResult<Change>>();
  #latest: Change = 0;
  readonly #pending: PendingLoad[] = [];
  /** Changes announced, and not yet delivered. */
  readonly #announced: { readonly key: string; readonly change: Change }[] = [];
  #isConnected = true;
  #time = 0;
  /** Per key: an older value must never be served, */
  readonly #delivered = new Map<string, Change>();
  /** and one older than this only as a stale value. */
  readonly #flushed = new Map<string, Change>();
  readonly violations: string[] = [];
  readonly cache = new NearCache<Change>({
    load: (key) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error('the store is down'));
        this.#pending.push({ key, seen: undefined, reply: resolve, fail });
      }),
    isCovered: () => this.#isConnected,
    now: () => this.#time,
    bounds: { entries: 10, bytes: 10_000 },
    lifetimes: { refreshAfter: 2, maxAge: 8, negativeTtl: 3 },
    loadTimeoutMilliseconds: 1_000_000,
  });

  step(step: Step): void {
    if (step.kind === 'find') this.#find(step.key);
    else if (step.kind === 'write') this.#change(step.key, { kind: 'present', value: ++this.#latest, bytes: 10 });
    else if (step.kind === 'remove') this.#change(step.key, { kind: 'absent', value: ++this.#latest, bytes: 0 });
    else if ('which' in step) this.#advance(step.kind, step.which);
    else if (step.kind === 'announce') this.#announce();
    else if (step.kind === 'wait') this.#time++;
    else this.#setConnected(step.kind === 'connect');
  }

  /** Settles all pending loads. */
  finish(): void {
    for (let left = 100; this.#pending.length > 0 && left > 0; left--) this.#advance('fail', 0);
  }

  #find(key: string): void {
    const [delivered, flushed] = [this.#delivered.get(key) ?? 0, this.#flushed.get(key) ?? 0];
    const { stale } = this.cache.counts;
    this.cache.find(key).then(
      (change) => {
        const isStale = this.cache.counts.stale > stale;
        const oldest = isStale ? delivered : Math.max(delivered, flushed);
        if (change < oldest) this.violations.push(`${key}: served ${change} after ${oldest} was delivered`);
      },
      () => {},
    );
  }

  #change(key: string, content: LoadResult<Change>): void {
    this.#content.set(key, content);
    if (this.#isConnected) this.#announced.push({ key, change: content.value });
  }

  #advance(kind: 'arrive' | 'reply' | 'fail', which: number): void {
    const index = which % Math.max(1, this.#pending.length);
    const load = this.#pending[index];
    if (!load) return;
    load.seen ??= this.#content.get(load.key) ?? absent;
    if (kind === 'arrive') return;
    this.#pending.splice(index, 1);
    if (kind === 'fail') load.fail();
    else load.reply(load.seen);
  }

  #announce(): void {
    const next = this.#announced.shift();
    if (!next) return;
    this.cache.invalidate(next.key);
    this.#delivered.set(next.key, next.change);
  }

  #setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#announced.length = 0;
    if (!isConnected) return;
    this.cache.markAllStale();
    for (const [key, { value }] of this.#content) this.#flushed.set(key, value);
  }
}

const key = fc.constantFrom('a', 'b');
const which = fc.nat(3);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(6, fc.record({ kind: fc.constantFrom('find', 'find', 'find', 'write', 'remove'), key })),
  weighted(6, fc.record({ kind: fc.constantFrom('arrive', 'reply', 'fail'), which })),
  weighted(4, fc.record({ kind: fc.constantFrom('announce', 'wait') })),
  weighted(1, fc.record({ kind: fc.constantFrom('disconnect', 'connect') })),
);

test('NearCache serves no value older than a delivered invalidation in any interleaving of loads and changes', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
    const simulation = new Simulation();
    for (const each of steps) {
      simulation.step(each);
      await settled();
    }
    simulation.finish();
    await settled();
    expect(simulation.violations).toEqual([]);
  });
  await fc.assert(property, { numRuns: 500 });
});

/** Resolves once everything that waits for no further step has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

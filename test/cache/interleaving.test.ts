import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LoadResult, NearCache } from '../../src/cache/near-cache.ts';

/** The number of the change that made a value or took one away; later ones are larger. */
type Change = number;

interface Question {
  readonly key: string;
  /** What the store had when it saw the question; undefined while that is on its way. */
  seen: LoadResult<Change> | undefined;
  readonly reply: (answer: LoadResult<Change>) => void;
  readonly fail: () => void;
}

const nothing: LoadResult<Change> = { kind: 'absent', value: 0, bytes: 0 };

/** One thing that happens; `which` chooses among the questions that are on their way. */
type Step =
  | { readonly kind: 'find' | 'write' | 'remove'; readonly key: string }
  | { readonly kind: 'see' | 'reply' | 'fail'; readonly which: number }
  | { readonly kind: 'tell' | 'lose' | 'arm' | 'wait' };

/** A store, the wire to it and the wire on which it tells of changes, moved by hand. */
class World {
  readonly #content = new Map<string, LoadResult<Change>>();
  #latest: Change = 0;
  readonly #questions: Question[] = [];
  /** Changes that are told and have not arrived. */
  readonly #told: { readonly key: string; readonly change: Change }[] = [];
  #isArmed = true;
  #time = 0;
  /** For each key: what is older must not be given out, whatever happens, */
  readonly #over = new Map<string, Change>();
  /** and what is older must not be given out as confirmed. */
  readonly #doubted = new Map<string, Change>();
  readonly violations: string[] = [];
  readonly cache = new NearCache<Change>({
    load: (key) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error('away'));
        this.#questions.push({ key, seen: undefined, reply: resolve, fail });
      }),
    isCovered: () => this.#isArmed,
    now: () => this.#time,
    bounds: { entries: 10, bytes: 10_000 },
    lifetimes: { refreshAfter: 2, maxAge: 8, negativeTtl: 3 },
    loadTimeoutMilliseconds: 1_000_000,
  });

  step(step: Step): void {
    if (step.kind === 'find') this.#find(step.key);
    else if (step.kind === 'write') this.#change(step.key, { kind: 'present', value: ++this.#latest, bytes: 10 });
    else if (step.kind === 'remove') this.#change(step.key, { kind: 'absent', value: ++this.#latest, bytes: 0 });
    else if ('which' in step) this.#move(step.kind, step.which);
    else if (step.kind === 'tell') this.#tell();
    else if (step.kind === 'wait') this.#time++;
    else this.#setArmed(step.kind === 'arm');
  }

  /** Lets everybody who waits go. */
  finish(): void {
    for (let left = 100; this.#questions.length > 0 && left > 0; left--) this.#move('fail', 0);
  }

  #find(key: string): void {
    const [over, doubted] = [this.#over.get(key) ?? 0, this.#doubted.get(key) ?? 0];
    const { stale } = this.cache.counts;
    this.cache.find(key).then(
      (change) => {
        const isUnconfirmed = this.cache.counts.stale > stale;
        const oldest = isUnconfirmed ? over : Math.max(over, doubted);
        if (change < oldest) this.violations.push(`${key}: ${change} was given out after ${oldest} was told`);
      },
      () => {},
    );
  }

  #change(key: string, content: LoadResult<Change>): void {
    this.#content.set(key, content);
    if (this.#isArmed) this.#told.push({ key, change: content.value });
  }

  #move(kind: 'see' | 'reply' | 'fail', which: number): void {
    const index = which % Math.max(1, this.#questions.length);
    const question = this.#questions[index];
    if (!question) return;
    question.seen ??= this.#content.get(question.key) ?? nothing;
    if (kind === 'see') return;
    this.#questions.splice(index, 1);
    if (kind === 'fail') question.fail();
    else question.reply(question.seen);
  }

  #tell(): void {
    const told = this.#told.shift();
    if (!told) return;
    this.cache.invalidate(told.key);
    this.#over.set(told.key, told.change);
  }

  #setArmed(isArmed: boolean): void {
    this.#isArmed = isArmed;
    this.#told.length = 0;
    if (!isArmed) return;
    this.cache.markAllStale();
    for (const [key, { value }] of this.#content) this.#doubted.set(key, value);
  }
}

const key = fc.constantFrom('a', 'b');
const which = fc.nat(3);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(6, fc.record({ kind: fc.constantFrom('find', 'find', 'find', 'write', 'remove'), key })),
  weighted(6, fc.record({ kind: fc.constantFrom('see', 'reply', 'fail'), which })),
  weighted(4, fc.record({ kind: fc.constantFrom('tell', 'wait') })),
  weighted(1, fc.record({ kind: fc.constantFrom('lose', 'arm') })),
);

test('whatever the order of questions, answers and changes, nothing is given out that was told to be over', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
    const world = new World();
    for (const each of steps) {
      world.step(each);
      await settled();
    }
    world.finish();
    await settled();
    expect(world.violations).toEqual([]);
  });
  await fc.assert(property, { numRuns: 500 });
});

/** Everything that waits for nothing outside has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

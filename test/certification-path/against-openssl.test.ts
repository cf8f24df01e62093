import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { acceptedByUsAlone } from './differential/accepted-by-us-alone.ts';
import { type Comparison, compare } from './differential/compare.ts';
import { randomPki } from './differential/random-pki.ts';
import { refusedByUsAlone } from './differential/refused-by-us-alone.ts';

const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? 500);
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? Date.now() % 2 ** 31);
/** With so many every row of the table is met; one that is not is no longer needed. */
const MANY = 20_000;
/** PKIs that one process judges. */
const BATCH = 25;
/** Processes at once. */
const WORKERS = 2;

const plans = fc.sample(randomPki, { numRuns: RUNS, seed: SEED });

/** All comparisons, in the order of the plans. */
async function compareAll(): Promise<Comparison[]> {
  const starts = Array.from({ length: Math.ceil(RUNS / BATCH) }, (_, index) => index * BATCH);
  const comparisons: Comparison[][] = [];
  const work = async () => {
    const folder = temporaryDirectory();
    for (let start = starts.pop(); start !== undefined; start = starts.pop()) {
      comparisons[start / BATCH] = await compare(folder, plans.slice(start, start + BATCH), start);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return comparisons.flat();
}

/** How often each kind came, and each row. */
function countsOf(comparisons: readonly Comparison[]): Record<string, number> {
  const kinds = comparisons.flatMap((one) => [one.kind, ...(one.kind === 'disagreement' ? one.rows : [])]);
  return Object.fromEntries([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]).sort());
}

/** What to run again: the seed, the number, and the plan in full. */
function unexplainedOf(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap((one, index) => {
    if (one.kind !== 'unexplained') return [];
    return [`COUNTERSIGN_DIFFERENTIAL_SEED=${SEED}, PKI ${index}: ${one.what}\n${fc.stringify(plans[index])}`];
  });
}

describeWith(['openssl'], `${RUNS} random PKIs are judged as openssl judges them, or a row says why not`, () => {
  test(
    `seed ${SEED}`,
    async () => {
      const comparisons = await compareAll();
      const counts = countsOf(comparisons);
      expect(unexplainedOf(comparisons)).toEqual([]);
      expect(counts['both accept']).toBeGreaterThan(RUNS / 10);
      expect(counts['both refuse']).toBeGreaterThan(RUNS / 10);
      if (RUNS < MANY) return;
      console.info(counts);
      const rows = [...Object.keys(acceptedByUsAlone), ...Object.keys(refusedByUsAlone)];
      expect(rows.filter((row) => counts[row] === undefined)).toEqual([]);
    },
    60_000 + RUNS * 100,
  );
});

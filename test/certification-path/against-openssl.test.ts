import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Comparison, compare } from './differential/compare.ts';
import { randomPki } from './differential/random-pki.ts';

const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? 500);
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? Date.now() % 2 ** 31);
/** PKIs that one process judges. */
const BATCH = 25;
/** Processes at once. */
const WORKERS = 2;

/** All comparisons, in the order of the plans. */
async function compareAll(): Promise<Comparison[]> {
  const plans = fc.sample(randomPki, { numRuns: RUNS, seed: SEED });
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

/** How often each kind came. */
function counted(comparisons: readonly Comparison[]): Record<string, number> {
  const kinds = comparisons.flatMap((one) =>
    one.kind === 'disagreement' ? one.rows : [one.kind === 'unexplained' ? one.what : one.kind],
  );
  return Object.fromEntries([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]).sort());
}

describeWith(['openssl'], `${RUNS} random PKIs are judged as openssl judges them, or a row says why not`, () => {
  test(
    `seed ${SEED}`,
    async () => {
      const comparisons = await compareAll();
      console.info(counted(comparisons));
      expect(comparisons.filter(({ kind }) => kind === 'unexplained').length).toBe(0);
    },
    60_000 + RUNS * 60,
  );
});

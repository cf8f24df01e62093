import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeWith } from '../../support/describe-with.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { acceptedOnlyByCountersign, rejectedOnlyByCountersign } from './differential/disagreements.ts';
import { type MintedCase, mintCase } from './differential/mint-case.ts';
import { randomCase } from './differential/random-case.ts';
import { type CountersignResult, checkWithCountersign, checkWithOpenssl } from './differential/results.ts';

const SHORT = 150;
const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? SHORT);
/** Fixed for the short run: rare disagreements are left to the long run. */
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? (RUNS > SHORT ? Date.now() % 2 ** 31 : 1));
/** Cases per openssl process. */
const BATCH = 50;

const plans = fc.sample(randomCase, { numRuns: RUNS, seed: SEED });
const rows = [...Object.keys(acceptedOnlyByCountersign), ...Object.keys(rejectedOnlyByCountersign)];

/** Agreement, the rows that explain a disagreement, or what is not explained. */
type Comparison = 'both accept' | 'both reject' | readonly string[] | { readonly unexplained: string };

function compare({ plan }: MintedCase, ours: CountersignResult, error: number): Comparison {
  if (ours.accepted === (error === 0)) return ours.accepted ? 'both accept' : 'both reject';
  const matching = ours.accepted
    ? Object.entries(acceptedOnlyByCountersign).filter(([, row]) => row.errors.includes(error) && row.applies(plan))
    : Object.entries(rejectedOnlyByCountersign).filter(
        ([, row]) => row.applies(plan) && ours.reasons.some((reason) => row.ours.test(reason)),
      );
  if (matching.length > 0) return matching.map(([name]) => name);
  const result = ours.accepted ? 'accepts it' : `reports ${ours.reasons.join('; ')}`;
  return { unexplained: `error ${error} of OpenSSL, Countersign ${result}: ${fc.stringify(plan)}` };
}

async function compareAll(): Promise<Comparison[]> {
  const folder = temporaryDirectory();
  const comparisons: Comparison[] = [];
  for (let start = 0; start < RUNS; start += BATCH) {
    const cases = plans.slice(start, start + BATCH).map((plan, index) => mintCase(plan, start + index));
    const errors = await checkWithOpenssl(folder, cases);
    for (const [index, minted] of cases.entries()) {
      comparisons.push(compare(minted, await checkWithCountersign(minted), errors[index] ?? 0));
    }
  }
  return comparisons;
}

describeWith(
  ['openssl'],
  `${RUNS} random CRLs cover certificates like with openssl, or differently for a documented reason`,
  () => {
    test(
      `with seed ${SEED}`,
      async () => {
        const comparisons = await compareAll();
        const unexplained = comparisons.flatMap((one) =>
          typeof one === 'object' && 'unexplained' in one ? [one] : [],
        );
        const kinds = comparisons.flatMap((one) => (Array.isArray(one) ? one : typeof one === 'string' ? [one] : []));
        const counts = Map.groupBy(kinds, (kind) => kind);
        if (RUNS > SHORT) {
          const listed = [...counts].map(([kind, all]) => [kind, all.length] as const).sort();
          console.info(
            Object.fromEntries(listed),
            'not covered:',
            rows.filter((row) => !counts.has(row)),
          );
        }
        expect(unexplained).toEqual([]);
        expect(counts.get('both accept')?.length).toBeGreaterThan(RUNS / 10);
        expect(counts.get('both reject')?.length).toBeGreaterThan(RUNS / 10);
      },
      60_000 + RUNS * 100,
    );
  },
);

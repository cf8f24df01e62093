import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MintedCertificate } from '../../support/certificates.ts';
import { describeWith } from '../../support/describe-with.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { verifyChain } from '../../support/verify-chain.ts';
import { acceptedByOpenssl } from './differential/openssl-result.ts';
import {
  mapsInhibitedAnyPolicy,
  mintPolicyChain,
  type PolicyChain,
  randomPolicyChain,
} from './differential/random-policies.ts';

const SHORT = 150;
const RUNS = Number(process.env.COUNTERSIGN_DIFFERENTIAL_RUNS ?? SHORT);
const SEED = Number(process.env.COUNTERSIGN_DIFFERENTIAL_SEED ?? (RUNS > SHORT ? Date.now() % 2 ** 31 : 1));
/** Chains per openssl process. */
const BATCH = 50;

const plans = fc.sample(randomPolicyChain, { numRuns: RUNS, seed: SEED });

const unlabelled = ({ der, pem }: MintedCertificate) => ({ der, pem, labels: [] });

const forOpenssl = ({ rootAbove, anchorBelow, intermediates, leaf }: PolicyChain) => ({
  anchors: [unlabelled(rootAbove)],
  intermediates: [anchorBelow, ...intermediates].map(unlabelled),
  leaf: unlabelled(leaf),
});

const verify = ({ anchor, intermediates, leaf }: PolicyChain) =>
  verifyChain({ configured: [anchor], forwarded: intermediates, leaf });

/** Each disagreement without a known reason, with its plan, and how often each result occurs. */
async function compareAll() {
  const folder = temporaryDirectory();
  const unexplained: string[] = [];
  const counts = { accepted: 0, rejected: 0, explained: 0 };
  for (let start = 0; start < RUNS; start += BATCH) {
    const batch = plans.slice(start, start + BATCH);
    const chains = batch.map((plan, index) => mintPolicyChain(plan, start + index));
    const theirs = await acceptedByOpenssl(folder, chains.map(forOpenssl));
    for (const [index, plan] of batch.entries()) {
      // Safe: there is one chain for each plan.
      const { verified, reason } = verify(chains[index] as PolicyChain);
      if (verified === theirs[index]) counts[verified ? 'accepted' : 'rejected'] += 1;
      else if (!verified && mapsInhibitedAnyPolicy(plan)) counts.explained += 1;
      else unexplained.push(`${reason}\n${fc.stringify(plan)}`);
    }
  }
  return { unexplained, counts };
}

describeWith(['openssl'], `the policies of ${RUNS} random chains are validated like openssl does`, () => {
  test(
    `with seed ${SEED}`,
    async () => {
      const { unexplained, counts } = await compareAll();
      if (RUNS > SHORT) console.info(counts);
      expect(unexplained).toEqual([]);
      expect(counts.explained).toBeLessThan(RUNS / 20);
      expect(counts.accepted).toBeGreaterThan(RUNS / 5);
      expect(counts.rejected).toBeGreaterThan(RUNS / 5);
    },
    60_000 + RUNS * 100,
  );
});

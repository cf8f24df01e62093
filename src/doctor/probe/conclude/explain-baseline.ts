import type { Outcome } from '../../observer/observe.ts';
import { describeResponse, type TrialResult } from '../trial.ts';
import { falseAcceptance } from './evaluate-forgery.ts';
import { explainUntrusted, isUntrusted, isVerified } from './explain-chain.ts';
import { explainOwn } from './explain-own.ts';
import { describeRoutes, type Finding, notObserved, type ProbeFacts, problem } from './finding.ts';
import { fixFalseAcceptance, fixUnexpectedFields } from './fixes.ts';

/** Explains the outcomes of requests without any forgery. */
export function explainBaseline(baseline: readonly TrialResult[], facts: ProbeFacts): Finding[] {
  return [
    ...explainUntrusted(baseline, facts),
    ...explainFalseAcceptances(baseline, facts),
    ...baseline.filter(({ mayBeOtherReplica }) => mayBeOtherReplica).map(explainOtherReplica),
    ...explainRejectedWithout(baseline, facts),
    ...explainOwn(baseline, facts),
  ];
}

function explainFalseAcceptances(
  baseline: readonly TrialResult[],
  { clientKeyPair, groundTruth, server }: ProbeFacts,
): Finding[] {
  const found = baseline.flatMap((result) => {
    // explainUntrusted reports it, with a better fix.
    if (isUntrusted(result, clientKeyPair) && isVerified(result)) return [];
    const outcome = lastOutcome(result);
    const accepted = outcome && falseAcceptance(outcome, result.presented, groundTruth);
    return accepted === undefined ? [] : [{ result, accepted }];
  });
  return [...Map.groupBy(found, ({ accepted }) => accepted)].map(([accepted, all]) => {
    const [{ result: first } = { result: undefined }, ...others] = all;
    const also = others.length > 0 ? ` (also: ${describeRoutes(others.map(({ result }) => result))})` : '';
    return problem(
      `without any forgery, ${first?.route.title}: ${accepted}${also}`,
      fixFalseAcceptance(server, first?.presented),
    );
  });
}

function explainOtherReplica({ route, response }: TrialResult): Finding {
  return notObserved(
    `a request to ${route.title} was answered (${describeResponse(response)}) but not observed: the proxy rejected it, ` +
      'or another replica answered; name the operations listener of each replica with --operations',
  );
}

function explainRejectedWithout(baseline: readonly TrialResult[], { server }: ProbeFacts): Finding[] {
  const rejected = baseline.flatMap((result) => {
    const outcome = lastOutcome(result);
    return result.presented === 'none' && outcome?.kind === 'rejected' ? [{ result, reason: outcome.reason }] : [];
  });
  return [...Map.groupBy(rejected, ({ reason }) => reason)].map(([reason, all]) => {
    const routes = describeRoutes(all.map(({ result }) => result));
    return problem(
      `the server rejects requests without a client certificate from ${routes}: ${reason}`,
      fixUnexpectedFields(server),
    );
  });
}

function lastOutcome({ observations }: TrialResult): Outcome | undefined {
  return observations.at(-1)?.outcome;
}

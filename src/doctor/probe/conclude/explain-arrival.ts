import type { Outcome } from '../../observer/observe.ts';
import { describeResponse, type TrialResult } from '../trial.ts';
import { explainUntrusted, isUntrusted, isVerified } from './explain-chain.ts';
import { explainOwn } from './explain-own.ts';
import { type Finding, notSeen, type ProbeFacts, placesOf, problem } from './finding.ts';
import { fixAcceptedSpoof, fixUnexpectedFields } from './fixes.ts';
import { spoofAccepted } from './judge-forgery.ts';

/** Explains what became of requests without anything forged. */
export function explainArrivals(usual: readonly TrialResult[], circumstances: ProbeFacts): Finding[] {
  return [
    ...explainUntrusted(usual, circumstances),
    ...explainAcceptedSpoofs(usual, circumstances),
    ...usual.filter(({ elsewhere }) => elsewhere).map(explainElsewhere),
    ...explainWithout(usual, circumstances),
    ...explainOwn(usual, circumstances),
  ];
}

function explainAcceptedSpoofs(usual: readonly TrialResult[], { identity, truth, server }: ProbeFacts): Finding[] {
  const untrue = usual.flatMap((tried) => {
    // That is said already, and better.
    if (isUntrusted(tried, identity) && isVerified(tried)) return [];
    const believed = lastAccepted(tried);
    const belief = believed && spoofAccepted(believed, tried.presented, truth);
    return belief === undefined ? [] : [{ tried, belief }];
  });
  return [...Map.groupBy(untrue, ({ belief }) => belief)].map(([belief, all]) => {
    const [{ tried: first } = { tried: undefined }, ...others] = all;
    const also = others.length > 0 ? ` (also: ${placesOf(others.map(({ tried }) => tried))})` : '';
    return problem(
      `nothing forged, ${first?.route.title}: ${belief}${also}`,
      fixAcceptedSpoof(server, first?.presented),
    );
  });
}

function explainElsewhere({ route, response }: TrialResult): Finding {
  return notSeen(
    `a request to ${route.title} was answered (${describeResponse(response)}), and not seen: it was refused by the proxy, ` +
      'or answered by another replica; name the operations listener of each replica with --operations',
  );
}

function explainWithout(usual: readonly TrialResult[], { server }: ProbeFacts): Finding[] {
  const refused = usual.flatMap((tried) => {
    const believed = lastAccepted(tried);
    return tried.presented === 'none' && believed?.kind === 'refused' ? [{ tried, reason: believed.reason }] : [];
  });
  return [...Map.groupBy(refused, ({ reason }) => reason)].map(([reason, all]) => {
    const places = placesOf(all.map(({ tried }) => tried));
    return problem(
      `without a certificate, the server refuses what the proxy sends from ${places}: ${reason}`,
      fixUnexpectedFields(server),
    );
  });
}

function lastAccepted({ observations }: TrialResult): Outcome | undefined {
  return observations.at(-1)?.outcome;
}

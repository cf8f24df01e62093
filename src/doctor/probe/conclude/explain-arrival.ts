import type { Believed } from '../../observer/observe.ts';
import { describeAnswer, type Tried } from '../trial.ts';
import { explainStrangers, isStranger, isVerified } from './explain-chain.ts';
import { explainOwn } from './explain-own.ts';
import { type Circumstances, type Finding, fault, notSeen, placesOf } from './finding.ts';
import { mendFalseBelief, mendNothing } from './fixes.ts';
import { falseBelief } from './judge-forgery.ts';

/** Explains what became of requests without anything forged. */
export function explainArrivals(usual: readonly Tried[], circumstances: Circumstances): Finding[] {
  return [
    ...explainStrangers(usual, circumstances),
    ...explainFalseBeliefs(usual, circumstances),
    ...usual.filter(({ elsewhere }) => elsewhere).map(explainElsewhere),
    ...explainWithout(usual, circumstances),
    ...explainOwn(usual, circumstances),
  ];
}

function explainFalseBeliefs(usual: readonly Tried[], { identity, truth, server }: Circumstances): Finding[] {
  const untrue = usual.flatMap((tried) => {
    // That is said already, and better.
    if (isStranger(tried, identity) && isVerified(tried)) return [];
    const believed = lastBelieved(tried);
    const belief = believed && falseBelief(believed, tried.shown, truth);
    return belief === undefined ? [] : [{ tried, belief }];
  });
  return [...Map.groupBy(untrue, ({ belief }) => belief)].map(([belief, all]) => {
    const [{ tried: first } = { tried: undefined }, ...others] = all;
    const also = others.length > 0 ? ` (also: ${placesOf(others.map(({ tried }) => tried))})` : '';
    return fault(`nothing forged, ${first?.route.title}: ${belief}${also}`, mendFalseBelief(server, first?.shown));
  });
}

function explainElsewhere({ route, answer }: Tried): Finding {
  return notSeen(
    `a request to ${route.title} was answered (${describeAnswer(answer)}), and not seen: it was refused by the proxy, ` +
      'or answered by another replica; name the operations listener of each replica with --operations',
  );
}

function explainWithout(usual: readonly Tried[], { server }: Circumstances): Finding[] {
  const refused = usual.flatMap((tried) => {
    const believed = lastBelieved(tried);
    return tried.shown === 'none' && believed?.kind === 'refused' ? [{ tried, reason: believed.reason }] : [];
  });
  return [...Map.groupBy(refused, ({ reason }) => reason)].map(([reason, all]) => {
    const places = placesOf(all.map(({ tried }) => tried));
    return fault(
      `without a certificate, the server refuses what the proxy sends from ${places}: ${reason}`,
      mendNothing(server),
    );
  });
}

function lastBelieved({ observations }: Tried): Believed | undefined {
  return observations.at(-1)?.believed;
}

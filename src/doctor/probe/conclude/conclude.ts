import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { Arrival, Examination, ForgeryReport } from '../examination.ts';
import { describeResponse, type Trial, type TrialResult } from '../trial.ts';
import { coverageOf, notesOn } from './coverage.ts';
import { explainArrivals } from './explain-arrival.ts';
import type { ProbeEvidence } from './finding.ts';
import { fixFor } from './fixes.ts';
import { evaluateForgery, isBusy } from './judge-forgery.ts';

/** Draws the conclusion. */
export function concludeFrom(findings: ProbeEvidence): Examination {
  const { url, configs, identity, truth, handshakes, baseline, blocked } = findings;
  const [server] = configs;
  const forgeries = evaluateAll(findings);
  const arrivals = explainArrivals(baseline, { server, identity, truth, handshakes });
  const textsOf = (kind: string) => arrivals.filter((finding) => finding.kind === kind).map(({ text }) => text);
  const unseen = [...textsOf('not_seen'), ...unseenForgeries(forgeries), ...blocked.slice(0, 1).map(describeBlocked)];
  const problems = unique([
    ...textsOf('fault'),
    ...[disagreement(configs) ?? []].flat(),
    ...passedForgeries(forgeries, server),
  ]);
  return {
    conclusion: problems.length > 0 ? 'wrong' : unseen.length > 0 ? 'incomplete' : 'sound',
    url,
    server,
    own_certificate: { subject: identity.subject, thumbprint: identity.thumbprint, made: identity.made },
    stranger_certificate: { thumbprint: truth.untrustedThumbprint },
    victim_certificate: { thumbprint: truth.victimThumbprint },
    handshakes,
    arrivals: baseline.map(arrivalOf),
    forgeries,
    problems,
    coverage: coverageOf(findings),
    notes: unique([...textsOf('note'), ...unseen, ...notesOn(findings, forgeries)]),
  };
}

function evaluateAll({ baseline, forged, truth }: ProbeEvidence): ForgeryReport[] {
  const keyOf = ({ route, presented, protocol }: Trial) => `${route.title} ${presented} ${protocol}`;
  const observed = new Map(baseline.map((tried) => [keyOf(tried), tried.observations.at(-1)]));
  return forged.map((tried) => {
    const { route, presented, protocol, forgery, response } = tried;
    return {
      forgery: forgery.name,
      title: forgery.title,
      family: forgery.family,
      route: route.name,
      route_title: route.title,
      certificate: presented,
      protocol,
      ...evaluateForgery(tried, observed.get(keyOf(tried)), truth),
      status: response.kind === 'answered' ? response.status : null,
    };
  });
}

function arrivalOf({ route, presented, protocol, response, observations }: TrialResult): Arrival {
  const observation = observations.at(-1) ?? null;
  return {
    route: route.name,
    url: route.title,
    certificate: presented,
    protocol,
    answer: describeResponse(response),
    observation,
  };
}

function describeBlocked({ route, response }: TrialResult): string {
  return (
    `after the forgeries, a request with nothing forged did not arrive any more at ${route.title} ` +
    `(${describeResponse(response)}): ${LIMITED}`
  );
}

function unseenForgeries(forgeries: readonly ForgeryReport[]): string[] {
  const unseen = forgeries.filter(({ outcome }) => outcome === 'not_seen');
  const limited = unseen.filter(({ status }) => isBusy(status));
  const elsewhere = unseen.filter(({ status }) => !isBusy(status));
  const counted = (some: readonly ForgeryReport[]) =>
    `${some.length} of ${forgeries.length} forgeries were not seen (${some[0]?.detail})`;
  return [
    ...(limited.length > 0 ? [`${counted(limited)}: ${LIMITED}`] : []),
    ...(elsewhere.length > 0 ? [`${counted(elsewhere)}; name all replicas with --operations`] : []),
  ];
}

const LIMITED =
  'the proxy limits or blocks us, and what it stopped says nothing; let this machine through while the doctor runs';

function passedForgeries(forgeries: readonly ForgeryReport[], server: EffectiveConfig): string[] {
  const passed = forgeries.filter(({ outcome }) => outcome === 'got_through');
  return [...Map.groupBy(passed, ({ detail }) => detail)].map(([detail, reports]) => {
    const routes = unique(reports.map(({ route_title }) => route_title));
    const titles = unique(reports.map(({ title }) => title));
    const more = titles.length > MAX_TITLES ? [`${titles.length - MAX_TITLES} more`] : [];
    const spelled = [...titles.slice(0, MAX_TITLES), ...more].join('; ');
    return `${detail} (${spelled}) at ${routes.join(', and with ')}. Mend: ${fixFor(server)}`;
  });
}

const MAX_TITLES = 5;

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/**
 * In what replicas differ that must not, or undefined: each of them may listen somewhere else, and nothing more. What one
 * takes for a forgery is another one's proof, so nothing can be said of them together.
 */
export function disagreement([first, ...others]: readonly [EffectiveConfig, ...EffectiveConfig[]]): string | undefined {
  const { listens_on, ...compared } = first;
  // Safe: these are the names of what is compared.
  const names = Object.keys(compared) as (keyof typeof compared)[];
  const different = names.filter((name) => others.some((other) => !isSame(other[name], first[name])));
  if (different.length === 0) return undefined;
  return (
    `the replicas are configured differently, in ${different.join(', ')}, and nothing was sent. ` +
    'Mend: give all of them the same settings; each prints what it believes at start'
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

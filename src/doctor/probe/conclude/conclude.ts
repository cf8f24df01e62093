import type { EffectiveConfig } from '../../observer/effective-config.ts';
import type { BaselineReport, ForgeryReport, ProbeReport } from '../probe-report.ts';
import { describeResponse, type Trial, type TrialResult } from '../trial.ts';
import { configMismatch } from './config-mismatch.ts';
import { coverageOf } from './coverage.ts';
import { evaluateForgery, isProxyUnavailable } from './evaluate-forgery.ts';
import { explainBaseline } from './explain-baseline.ts';
import type { Finding, ProbeEvidence } from './finding.ts';
import { fixOverwriting } from './fixes.ts';
import { runNotes } from './run-notes.ts';

/** Draws the conclusion from everything that was observed. */
export function conclude(evidence: ProbeEvidence): ProbeReport {
  const { url, effectiveConfigs, clientKeyPair, groundTruth, handshakes, baseline } = evidence;
  const [server] = effectiveConfigs;
  const forgeries = evaluateForgeries(evidence);
  const findings = explainBaseline(baseline, { server, clientKeyPair, groundTruth, handshakes });
  const unobserved = describeUnobserved(findings, forgeries, evidence);
  const problems = unique([
    ...textsOf(findings, 'problem'),
    ...[configMismatch(effectiveConfigs) ?? []].flat(),
    ...describeAccepted(forgeries, server),
  ]);
  const { subject, thumbprint, generated } = clientKeyPair;
  return {
    conclusion: problems.length > 0 ? 'vulnerable' : unobserved.length > 0 ? 'incomplete' : 'secure',
    url,
    server,
    own_certificate: { subject, thumbprint, generated },
    untrusted_certificate: { thumbprint: groundTruth.untrustedThumbprint },
    forged_certificate: { thumbprint: groundTruth.forgedThumbprint },
    handshakes,
    baseline: baseline.map(reportBaseline),
    forgeries,
    problems,
    coverage: coverageOf(evidence),
    notes: unique([...textsOf(findings, 'note'), ...unobserved, ...runNotes(evidence, forgeries)]),
  };
}

/** Compares each forgery with the baseline request of the same route, certificate and protocol. */
function evaluateForgeries({ baseline, forged, groundTruth }: ProbeEvidence): ForgeryReport[] {
  const keyOf = ({ route, presented, protocol }: Trial) => `${route.title} ${presented} ${protocol}`;
  const observed = new Map(baseline.map((result) => [keyOf(result), result.observations.at(-1)]));
  return forged.map((result) => {
    const { route, presented, protocol, forgery, response } = result;
    return {
      forgery: forgery.name,
      title: forgery.title,
      family: forgery.family,
      route: route.name,
      route_title: route.title,
      certificate: presented,
      protocol,
      ...evaluateForgery(result, observed.get(keyOf(result)), groundTruth),
      status: response.kind === 'answered' ? response.status : null,
    };
  });
}

function reportBaseline({ route, presented, protocol, response, observations }: TrialResult): BaselineReport {
  return {
    route: route.name,
    url: route.title,
    certificate: presented,
    protocol,
    response: describeResponse(response),
    observation: observations.at(-1) ?? null,
  };
}

/** What prevents the conclusion `secure`. */
function describeUnobserved(
  findings: readonly Finding[],
  forgeries: readonly ForgeryReport[],
  { blocked }: ProbeEvidence,
): string[] {
  return [
    ...textsOf(findings, 'not_observed'),
    ...describeUnobservedForgeries(forgeries),
    ...blocked.slice(0, 1).map(describeBlocked),
  ];
}

function describeUnobservedForgeries(forgeries: readonly ForgeryReport[]): string[] {
  const unobserved = forgeries.filter(({ outcome }) => outcome === 'not_observed');
  const unavailable = unobserved.filter(({ status }) => isProxyUnavailable(status));
  const elsewhere = unobserved.filter(({ status }) => !isProxyUnavailable(status));
  const count = (some: readonly ForgeryReport[]) =>
    `${some.length} of ${forgeries.length} forgeries were not observed (${some[0]?.detail})`;
  return [
    ...(unavailable.length > 0 ? [`${count(unavailable)}: ${RATE_LIMITED}`] : []),
    ...(elsewhere.length > 0
      ? [`${count(elsewhere)}; name the operations listeners of all replicas with --operations`]
      : []),
  ];
}

function describeBlocked({ route, response }: TrialResult): string {
  return (
    `after the forgeries, a request without any forgery no longer arrived at ${route.title} ` +
    `(${describeResponse(response)}): ${RATE_LIMITED}`
  );
}

const RATE_LIMITED =
  'the proxy limits or blocks this machine, and a blocked forgery proves nothing; exempt this machine from limits ' +
  'while the doctor runs';

function describeAccepted(forgeries: readonly ForgeryReport[], server: EffectiveConfig): string[] {
  const accepted = forgeries.filter(({ outcome }) => outcome === 'accepted');
  return [...Map.groupBy(accepted, ({ detail }) => detail)].map(([detail, reports]) => {
    const routes = unique(reports.map(({ route_title }) => route_title));
    const titles = unique(reports.map(({ title }) => title));
    const more = titles.length > MAX_TITLES ? [`${titles.length - MAX_TITLES} more`] : [];
    const listed = [...titles.slice(0, MAX_TITLES), ...more].join('; ');
    return `${detail} (${listed}) at ${routes.join(', and with ')}. Fix: ${fixOverwriting(server)}`;
  });
}

const MAX_TITLES = 5;

function textsOf(findings: readonly Finding[], kind: Finding['kind']): string[] {
  return findings.filter((finding) => finding.kind === kind).map(({ text }) => text);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

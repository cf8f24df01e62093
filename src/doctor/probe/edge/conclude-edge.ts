import type { Arrival } from '../../observer/arrival.ts';
import type { EffectiveConfig, ForwardingConfig } from '../../observer/effective-config.ts';
import type { Observation } from '../../observer/observe.ts';
import { type ClientKeyPair, describeOwnCertificate } from '../client-key-pair.ts';
import { configMismatch } from '../conclude/config-mismatch.ts';
import type { Coverage, HandshakeReport } from '../probe-report.ts';
import { describeResponse, type PresentedAs } from '../trial.ts';
import { type EdgeProblem, edgeFix } from './edge-fixes.ts';
import type { EdgeBaselineReport, EdgeReport } from './edge-report.ts';
import type { EdgeTrialResult } from './edge-trials.ts';
import { type EdgeEvaluation, evaluateArrival, missingNames } from './evaluate-arrival.ts';

/** Everything that was observed in a run at the edge. */
export interface EdgeEvidence {
  readonly url: string;
  readonly effectiveConfigs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  readonly edge: ForwardingConfig;
  readonly clientKeyPair: ClientKeyPair;
  readonly thumbprints: Readonly<Record<'own' | 'untrusted' | 'forged', string>>;
  readonly handshakes: readonly HandshakeReport[];
  readonly baseline: readonly EdgeTrialResult[];
  readonly forged: readonly EdgeTrialResult[];
  /** The baseline again, after the forgeries. */
  readonly repeated: readonly EdgeTrialResult[];
  readonly checks: readonly Observation[];
}

interface Evaluated extends EdgeTrialResult {
  readonly evaluation: EdgeEvaluation;
}

/** Draws the conclusion from everything that was observed. */
export function concludeEdge(evidence: EdgeEvidence): EdgeReport {
  const { url, effectiveConfigs, clientKeyPair, handshakes } = evidence;
  const reference = evidence.baseline.find(({ presented, arrival }) => presented === 'own' && arrival)?.arrival;
  const evaluate = (result: EdgeTrialResult) => ({ ...result, evaluation: evaluateArrival(result, reference) });
  const baseline = evidence.baseline.map(evaluate);
  const forged = evidence.forged.map(evaluate);
  const problems = [
    ...[configMismatch(effectiveConfigs) ?? []].flat(),
    ...describeProblems(baseline, forged, reference, evidence),
  ];
  const unobserved = handshakes.length > 0 ? describeUnobserved(baseline, forged, evidence) : [];
  const { subject, thumbprint, generated } = clientKeyPair;
  return {
    conclusion: problems.length > 0 ? 'vulnerable' : unobserved.length > 0 ? 'incomplete' : 'secure',
    url,
    server: effectiveConfigs[0],
    own_certificate: { subject, thumbprint, generated },
    handshakes,
    baseline: baseline.map((result) => reportBaseline(result, evidence)),
    forgeries: forged.map(({ forgery, route, presented, protocol, response, evaluation }) => ({
      forgery: forgery.name,
      title: route.name === 'protected' ? forgery.title : `at ${route.title}`,
      url: route.title,
      certificate: presented,
      protocol,
      outcome: evaluation.outcome,
      detail: evaluation.detail,
      status: response.kind === 'answered' ? response.status : null,
    })),
    problems,
    coverage: coverageOf(evidence, reference),
    notes: [...new Set([...unobserved, ...describeNotes(baseline, forged, reference)])],
  };
}

function reportBaseline(
  { presented, protocol, response, arrival, evaluation }: Evaluated,
  evidence: EdgeEvidence,
): EdgeBaselineReport {
  return {
    certificate: presented,
    protocol,
    outcome: evaluation.outcome,
    response: describeResponse(response),
    check: checksWith(presented, evidence)[0] ?? null,
    arrival: arrival ?? null,
  };
}

/** The checks that contained this certificate, or none. */
function checksWith(
  presented: PresentedAs,
  { checks, thumbprints }: Pick<EdgeEvidence, 'checks' | 'thumbprints'>,
): Observation[] {
  const found = ({ fields }: Observation) => fields.flatMap(({ certificate }) => certificate?.thumbprint ?? []);
  if (presented === 'none') return checks.filter((check) => found(check).length === 0);
  return checks.filter((check) => found(check).includes(thumbprints[presented]));
}

const MAX_TITLES = 5;

function describeProblems(
  baseline: readonly Evaluated[],
  forged: readonly Evaluated[],
  reference: Arrival | undefined,
  evidence: EdgeEvidence,
): string[] {
  const { edge, checks, thumbprints } = evidence;
  const found = [...baseline, ...forged].flatMap(({ evaluation, forgery, route }) => {
    const title = route.name === 'protected' ? forgery.title : `at ${route.title}`;
    return evaluation.problems.map((problem) => ({ ...problem, title }));
  });
  const withFix = (kind: EdgeProblem, text: string) => `${text}. Fix: ${edgeFix(kind, edge)}`;
  const missing = (reference ? missingNames(reference) : []).filter((name) => name !== 'authorization');
  const isForgedAccepted = checks.some(
    ({ outcome }) => outcome.kind === 'accepted' && outcome.thumbprint === thumbprints.forged,
  );
  const texts = [...Map.groupBy(found, ({ kind, text }) => `${kind} ${text}`).values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const text = withFix(first.kind, `${first.text} (${listed(same.map(({ title }) => title))})`);
    return [{ kind: first.kind, text }];
  });
  // Without a check, the other problems follow.
  const [unchecked, others] = [true, false].map((is) => {
    return texts.filter(({ kind }) => (kind === 'unchecked') === is).map(({ text }) => text);
  });
  return [
    ...(unchecked ?? []),
    ...(missing.length > 0
      ? [withFix('missing', `${missing.join(', ')} did not reach the upstream with your certificate`)]
      : []),
    ...(others ?? []),
    ...(isForgedAccepted ? [withFix('forged_certificate', 'the edge accepted a forged certificate')] : []),
  ];
}

function listed(titles: readonly string[]): string {
  const different = [...new Set(titles)];
  const more = different.length > MAX_TITLES ? [`${different.length - MAX_TITLES} more`] : [];
  return [...different.slice(0, MAX_TITLES), ...more].join('; ');
}

/** What prevents the conclusion `secure`. */
function describeUnobserved(
  baseline: readonly Evaluated[],
  forged: readonly Evaluated[],
  evidence: EdgeEvidence,
): string[] {
  const own = baseline.filter(({ presented }) => presented === 'own');
  const unarrived = own.filter(({ arrival }) => !arrival).slice(0, 1);
  const others = [...baseline.filter(({ presented }) => presented !== 'own'), ...forged];
  const unknown = others.filter(({ evaluation }) => evaluation.outcome === 'not_observed');
  const [first] = unknown;
  const isBlocked = evidence.repeated.some(
    ({ arrival }, index) => arrival === undefined && evidence.baseline[index]?.arrival !== undefined,
  );
  return [
    ...unarrived.map((result) => explainUnarrived(result, evidence)),
    ...(first
      ? [
          `whether ${unknown.length} of ${others.length} requests reached the upstream is unknown (${first.evaluation.detail}): ` +
            'let the upstream of the URL be the operations listener of a replica that --operations names, and exempt this machine from limits',
        ]
      : []),
    ...(isBlocked
      ? [
          'after the forgeries, a request without any forgery no longer reached the upstream: the proxy limits or blocks this machine, and a ' +
            'blocked forgery proves nothing; exempt this machine from limits while the doctor runs',
        ]
      : []),
  ];
}

function explainUnarrived(result: Evaluated, evidence: EdgeEvidence): string {
  const { clientKeyPair, edge } = evidence;
  const own = describeOwnCertificate(clientKeyPair);
  const what = `a request with ${own} did not reach the upstream (${describeResponse(result.response)})`;
  if (clientKeyPair.generated) return `${what}: pass the certificate of a client of the resource with --cert and --key`;
  const [check] = checksWith('own', evidence);
  if (result.evaluation.outcome === 'not_observed') {
    return `${what}: let its upstream be the operations listener of a replica that --operations names (see docs/doctor.md)`;
  }
  if (!check) {
    const where = `${edge.terminator} in ${edge.certificate_header}`;
    return `${what}, and no check with it reached the edge, which expects it from ${where}: check that the proxy requests and forwards it`;
  }
  if (check.outcome.kind !== 'accepted') return `${what}: the edge did not accept it: ${check.outcome.reason}`;
  return `${what}, although the edge accepted the certificate: the audit event edge_check_denied has the reason; a route that verifies tokens requires --token`;
}

function describeNotes(
  baseline: readonly Evaluated[],
  forged: readonly Evaluated[],
  reference: Arrival | undefined,
): string[] {
  const hasTrailers = forged.some(({ evaluation }) => evaluation.outcome === 'in_trailer');
  const isAnonymous = baseline.filter(({ presented, arrival }) => presented === 'none' && !arrival);
  const other = isAnonymous.find(({ response }) => response.kind === 'answered' && response.status !== 401);
  return [
    ...(reference?.token.kind === 'absent'
      ? ['no token reached the upstream, which is only correct with "forward: none"']
      : []),
    ...(hasTrailers
      ? [
          'the proxy forwards trailers, also with the names of identity headers: the upstream must not merge trailers into its headers',
        ]
      : []),
    ...(other
      ? [`without a certificate, the response is ${describeResponse(other.response)}; that of the edge is HTTP 401`]
      : []),
  ];
}

function coverageOf(
  { handshakes, baseline, forged, clientKeyPair }: EdgeEvidence,
  reference: Arrival | undefined,
): Coverage {
  const aspects: readonly (readonly [title: string, missing: string | undefined])[] = [
    ...handshakes.map(({ url }) => [url, undefined] as const),
    ['HTTP/2', baseline.some(({ protocol }) => protocol === 'h2') ? undefined : 'the proxy does not offer it'],
    [describeOwnCertificate(clientKeyPair), reference ? undefined : 'it did not reach the upstream'],
    ['no certificate', forged.some(({ presented }) => presented === 'none') ? undefined : 'nothing was sent'],
    ['other spellings of the path', forged.some(({ route }) => route.name !== 'protected') ? undefined : 'none'],
    ['other routes of the proxy', ''],
    ['other hosts', ''],
    ['plain HTTP', ''],
    ['WebSocket', ''],
    ['an edge that does not respond', ''],
    ['request smuggling', ''],
  ];
  return {
    covered: aspects.flatMap(([title, missing]) => (missing === undefined ? [title] : [])),
    not_covered: aspects.flatMap(([title, missing]) => {
      if (missing === undefined) return [];
      return missing === '' ? [title] : [`${title} (${missing})`];
    }),
  };
}

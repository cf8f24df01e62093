import { documentationUrl } from '../../../documentation.ts';
import { describeOwnCertificate } from '../client-key-pair.ts';
import { describeResponse, type ProbeResponse } from '../trial.ts';
import { baselineCheck, checksWith, type EvaluatedEvidence, type EvaluatedTrial, titleOf } from './edge-evidence.ts';
import { type EdgeProblem, edgeFix } from './edge-fixes.ts';
import { missingNames } from './evaluate-arrival.ts';

/** What to fix; each text ends with the fix. The first ones are the causes of those that follow. */
export function describeProblems(evidence: EvaluatedEvidence): string[] {
  const { baseline, forged, edge, reference, checks, thumbprints } = evidence;
  const withFix = (kind: EdgeProblem, text: string) => `${text}. Fix: ${edgeFix(kind, edge)}`;
  const found = [...baseline, ...forged].flatMap((result) => {
    return result.evaluation.problems.map((problem) => ({ ...problem, title: titleOf(result) }));
  });
  const describe = (some: typeof found) =>
    [...Map.groupBy(some, ({ kind, text }) => `${kind} ${text}`).values()].flatMap((same) => {
      const titles = listed(same.map(({ title }) => title));
      return same.slice(0, 1).map(({ kind, text }) => withFix(kind, `${text} (${titles})`));
    });
  // With "forward: none", no token arrives.
  const missing = (reference ? missingNames(reference) : []).filter((name) => name !== 'authorization');
  const isForgedAccepted = checks.some(
    ({ outcome }) => outcome.kind === 'accepted' && outcome.thumbprint === thumbprints.forged,
  );
  return [
    ...describe(found.filter(({ kind }) => kind === 'unchecked')),
    ...(missing.length > 0
      ? [withFix('missing', `${missing.join(', ')} did not reach the upstream with your certificate`)]
      : []),
    ...describe(found.filter(({ kind }) => kind !== 'unchecked')),
    ...(isForgedAccepted ? [withFix('forged_certificate', 'the edge accepted a forged certificate')] : []),
  ];
}

const MAX_TITLES = 5;

function listed(titles: readonly string[]): string {
  const different = [...new Set(titles)];
  const more = different.length > MAX_TITLES ? [`${different.length - MAX_TITLES} more`] : [];
  return [...different.slice(0, MAX_TITLES), ...more].join('; ');
}

/** What prevents the conclusion `secure`. */
export function describeUnobserved(evidence: EvaluatedEvidence): string[] {
  const { handshakes, baseline, forged, repeated } = evidence;
  if (handshakes.length === 0) return [];
  const unarrived = baseline.find(({ presented, arrival }) => presented === 'own' && !arrival);
  const others = [...baseline.filter(({ presented }) => presented !== 'own'), ...forged];
  const unknown = others.filter(({ evaluation }) => evaluation.outcome === 'not_observed');
  const isBlocked = repeated.some(({ arrival }, index) => !arrival && baseline[index]?.arrival !== undefined);
  return [
    ...(unarrived ? [explainUnarrived(unarrived, evidence)] : []),
    ...unknown.slice(0, 1).map(({ evaluation }) => {
      const count = `${unknown.length} of ${others.length} requests`;
      return `whether ${count} reached the upstream is unknown (${evaluation.detail}): ${nameUpstream()}, and ${EXEMPT}`;
    }),
    ...(hasUncheckedArrivals(evidence) ? [FEWER_CHECKS] : []),
    ...(isBlocked ? [BLOCKED] : []),
  ];
}

function nameUpstream(): string {
  const page = documentationUrl('doctor.md');
  return `let the upstream of the URL be the operations listener of a replica that --operations names (${page})`;
}

const NAME_ROUTE =
  'let the proxy send the check to /edge/mint/NAME, /edge/verify/NAME or /edge/either/NAME, with the name of a valid ' +
  'resource record; the audit event edge_check_denied has the reason (nginx: set $countersign_check in this location itself)';
const EXEMPT = 'exempt this machine from limits while the doctor runs';
const BLOCKED =
  'after the forgeries, a request without any forgery no longer reached the upstream: the proxy limits or blocks this ' +
  `machine, and a blocked forgery proves nothing; ${EXEMPT}`;
const FEWER_CHECKS =
  'more requests with your certificate reached the upstream than checks reached the edge: either the proxy caches checks, ' +
  'which it must not, or another replica received them; name the operations listeners of all replicas with --operations';

/** Every request has a check of its own. */
function hasUncheckedArrivals(evidence: EvaluatedEvidence): boolean {
  const results = [...evidence.baseline, ...evidence.forged];
  const arrived = results.filter(({ presented, arrival }) => presented === 'own' && arrival);
  return arrived.length > checksWith('own', evidence).length;
}

function explainUnarrived(result: EvaluatedTrial, evidence: EvaluatedEvidence): string {
  const { clientKeyPair, edge } = evidence;
  const own = describeOwnCertificate(clientKeyPair);
  const what = `a request with ${own} did not reach the upstream (${describeResponse(result.response)})`;
  if (clientKeyPair.generated) return `${what}: pass the certificate of a client of the resource with --cert and --key`;
  const check = baselineCheck('own', evidence);
  if (result.evaluation.outcome === 'not_observed') {
    return `${what}: ${nameUpstream()}`;
  }
  if (isUnknownRoute(result.response)) return `${what}: ${NAME_ROUTE}`;
  if (!check) {
    return (
      `${what}, and no check with it reached the edge, which expects ${edge.terminator} to send it in ` +
      `${edge.certificate_header}: check that the proxy requests and forwards it`
    );
  }
  if (check.outcome.kind !== 'accepted') return `${what}: the edge did not accept it: ${check.outcome.reason}`;
  return (
    `${what}, although the edge accepted the certificate: the audit event edge_check_denied has the reason; a route that ` +
    'verifies tokens requires --token'
  );
}

/** The edge rejects such a check before it reads the certificate. */
function isUnknownRoute(response: ProbeResponse): boolean {
  return response.kind === 'answered' && response.error === 'unknown_route';
}

/** None of them is a problem. */
export function describeNotes({ baseline, forged, reference }: EvaluatedEvidence): string[] {
  const hasTrailers = forged.some(({ evaluation }) => evaluation.outcome === 'in_trailer');
  const isAnonymous = baseline.filter(({ presented, arrival }) => presented === 'none' && !arrival);
  const other = isAnonymous.find(({ response }) => response.kind === 'answered' && response.status !== 401);
  return [
    ...(reference?.token.kind === 'absent'
      ? ['no token reached the upstream, which is only correct with "forward: none"']
      : []),
    ...(hasTrailers
      ? [
          'the proxy forwards trailers, also with the names of identity headers: the upstream must not merge trailers into ' +
            'its headers',
        ]
      : []),
    ...(other
      ? [`without a certificate, the response is ${describeResponse(other.response)}; that of the edge is HTTP 401`]
      : []),
  ];
}

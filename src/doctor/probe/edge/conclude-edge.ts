import { describeOwnCertificate } from '../client-key-pair.ts';
import { configMismatch } from '../conclude/config-mismatch.ts';
import type { Coverage } from '../probe-report.ts';
import { describeResponse } from '../trial.ts';
import {
  baselineCheck,
  type EdgeEvidence,
  type EvaluatedEvidence,
  type EvaluatedTrial,
  evaluateEvidence,
  titleOf,
} from './edge-evidence.ts';
import type { EdgeBaselineReport, EdgeForgeryReport, EdgeReport } from './edge-report.ts';
import { describeNotes, describeProblems, describeUnobserved } from './explain-edge.ts';

/** Draws the conclusion from everything that was observed. */
export function concludeEdge(evidence: EdgeEvidence): EdgeReport {
  const evaluated = evaluateEvidence(evidence);
  const { url, effectiveConfigs, clientKeyPair, handshakes, baseline, forged } = evaluated;
  const problems = [...[configMismatch(effectiveConfigs) ?? []].flat(), ...describeProblems(evaluated)];
  const unobserved = describeUnobserved(evaluated);
  const { subject, thumbprint, generated } = clientKeyPair;
  return {
    conclusion: problems.length > 0 ? 'vulnerable' : unobserved.length > 0 ? 'incomplete' : 'secure',
    url,
    server: effectiveConfigs[0],
    own_certificate: { subject, thumbprint, generated },
    handshakes,
    baseline: baseline.map((result) => reportBaseline(result, evaluated)),
    forgeries: forged.map(reportForgery),
    problems,
    coverage: coverageOf(evaluated),
    notes: [...unobserved, ...describeNotes(evaluated)],
  };
}

function reportBaseline(
  { presented, protocol, response, arrival, evaluation }: EvaluatedTrial,
  evidence: EvaluatedEvidence,
): EdgeBaselineReport {
  return {
    certificate: presented,
    protocol,
    outcome: evaluation.outcome,
    response: describeResponse(response),
    check: baselineCheck(presented, evidence) ?? null,
    arrival: arrival ?? null,
  };
}

function reportForgery(result: EvaluatedTrial): EdgeForgeryReport {
  const { forgery, route, presented, protocol, response, evaluation } = result;
  return {
    forgery: forgery.name,
    title: titleOf(result),
    url: route.title,
    certificate: presented,
    protocol,
    outcome: evaluation.outcome,
    detail: evaluation.detail,
    status: response.kind === 'answered' ? response.status : null,
  };
}

function coverageOf({ handshakes, baseline, forged, clientKeyPair, reference }: EvaluatedEvidence): Coverage {
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

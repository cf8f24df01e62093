import type { Arrival } from '../../observer/arrival.ts';
import type { EffectiveConfig, ForwardingConfig } from '../../observer/effective-config.ts';
import type { Observation } from '../../observer/observe.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import type { HandshakeReport } from '../probe-report.ts';
import type { PresentedAs } from '../trial.ts';
import type { EdgeTrialResult } from './edge-trials.ts';
import { type EdgeEvaluation, evaluateArrival } from './evaluate-arrival.ts';

/** Everything that was observed in a run at the edge. */
export interface EdgeEvidence<Result = EdgeTrialResult> {
  readonly url: string;
  readonly effectiveConfigs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  readonly edge: ForwardingConfig;
  readonly clientKeyPair: ClientKeyPair;
  readonly thumbprints: Readonly<Record<'own' | 'untrusted' | 'forged', string>>;
  /** Empty if nothing was sent. */
  readonly handshakes: readonly HandshakeReport[];
  /** Requests without any forgery. */
  readonly baseline: readonly Result[];
  readonly forged: readonly Result[];
  /** The baseline again, after the forgeries. */
  readonly repeated: readonly EdgeTrialResult[];
  /** What the edge received with the baseline and with the forgeries. */
  readonly checks: readonly Observation[];
  /** Those of the baseline alone. */
  readonly baselineChecks: readonly Observation[];
}

export interface EvaluatedTrial extends EdgeTrialResult {
  readonly evaluation: EdgeEvaluation;
}

export interface EvaluatedEvidence extends EdgeEvidence<EvaluatedTrial> {
  /** What arrived with the operator's certificate and without any forgery. */
  readonly reference: Arrival | undefined;
}

export function evaluateEvidence(evidence: EdgeEvidence): EvaluatedEvidence {
  const reference = evidence.baseline.find(({ presented, arrival }) => presented === 'own' && arrival)?.arrival;
  const evaluate = (result: EdgeTrialResult) => ({ ...result, evaluation: evaluateArrival(result, reference) });
  return { ...evidence, baseline: evidence.baseline.map(evaluate), forged: evidence.forged.map(evaluate), reference };
}

/** The check of a request of the baseline, if there was one: a check that a forgery caused proves nothing about it. */
export function baselineCheck(presented: PresentedAs, evidence: EvaluatedEvidence): Observation | undefined {
  return checksWith(presented, { ...evidence, checks: evidence.baselineChecks })[0];
}

/** The checks that contained this certificate, or none. */
export function checksWith(
  presented: PresentedAs,
  { checks, thumbprints }: Pick<EdgeEvidence, 'checks' | 'thumbprints'>,
): Observation[] {
  const found = ({ fields }: Observation) => fields.flatMap(({ certificate }) => certificate?.thumbprint ?? []);
  if (presented === 'none') return checks.filter((check) => found(check).length === 0);
  return checks.filter((check) => found(check).includes(thumbprints[presented]));
}

/** What a forgery is called: its own title, or its unusual path. */
export function titleOf({ route, forgery }: EdgeTrialResult): string {
  return route.name === 'protected' ? forgery.title : `at ${route.title}`;
}

import type { EffectiveConfig } from '../../observer/effective-config.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import type { HandshakeReport } from '../probe-report.ts';
import type { TrialResult } from '../trial.ts';
import type { GroundTruth } from './evaluate-forgery.ts';

/**
 * A finding about requests without any forgery.
 *
 * - `problem`: something to fix; the text ends with the fix
 * - `not_observed`: prevents the conclusion `secure`
 * - `note`: for information
 */
export interface Finding {
  readonly kind: 'problem' | 'not_observed' | 'note';
  readonly text: string;
}

/** What a finding is drawn from, besides the request itself. */
export interface ProbeFacts {
  readonly server: EffectiveConfig;
  readonly clientKeyPair: ClientKeyPair;
  readonly groundTruth: GroundTruth;
  readonly handshakes: readonly HandshakeReport[];
}

/** Everything that was observed in a run. */
export interface ProbeEvidence {
  readonly url: string;
  readonly effectiveConfigs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  readonly clientKeyPair: ClientKeyPair;
  readonly groundTruth: GroundTruth;
  readonly handshakes: readonly HandshakeReport[];
  /** Requests without any forgery. */
  readonly baseline: readonly TrialResult[];
  readonly forged: readonly TrialResult[];
  /** Requests of the baseline that were observed before the forgeries, but not after them. */
  readonly blocked: readonly TrialResult[];
}

export function problem(what: string, fix: string): Finding {
  return { kind: 'problem', text: `${what}. Fix: ${fix}` };
}

export function note(text: string): Finding {
  return { kind: 'note', text };
}

export function notObserved(text: string): Finding {
  return { kind: 'not_observed', text };
}

/** The first route and the number of others: one cause affects many routes. */
export function describeRoutes(results: readonly TrialResult[]): string {
  const [first = '', ...more] = new Set(results.map(({ route }) => route.title));
  return more.length === 0 ? first : `${first} (and ${more.length} more ${more.length === 1 ? 'route' : 'routes'})`;
}

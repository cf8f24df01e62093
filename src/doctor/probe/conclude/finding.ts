import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { HandshakeReport } from '../examination.ts';
import type { ClientKeyPair } from '../identity.ts';
import type { TrialResult } from '../trial.ts';
import type { GroundTruth } from './judge-forgery.ts';

/**
 * What was found out about requests without anything forged.
 *
 * - `fault`: something has to be mended; the text ends with how
 * - `not_seen`: nobody can say, so nothing may be called sound
 * - `note`: worth knowing
 */
export interface Finding {
  readonly kind: 'fault' | 'not_seen' | 'note';
  readonly text: string;
}

/** What a finding is drawn from, beside the request itself. */
export interface ProbeFacts {
  readonly server: EffectiveConfig;
  readonly identity: ClientKeyPair;
  readonly truth: GroundTruth;
  readonly handshakes: readonly HandshakeReport[];
}

/** All that was seen. */
export interface ProbeEvidence {
  readonly url: string;
  readonly configs: readonly [EffectiveConfig, ...EffectiveConfig[]];
  readonly identity: ClientKeyPair;
  readonly truth: GroundTruth;
  readonly handshakes: readonly HandshakeReport[];
  /** With nothing forged. */
  readonly baseline: readonly TrialResult[];
  readonly forged: readonly TrialResult[];
  /** With nothing forged, seen before the forgeries and not after them. */
  readonly blocked: readonly TrialResult[];
}

/** A fault is of use only with its mend. */
export function problem(what: string, mend: string): Finding {
  return { kind: 'fault', text: `${what}. Mend: ${mend}` };
}

export function note(text: string): Finding {
  return { kind: 'note', text };
}

export function notSeen(text: string): Finding {
  return { kind: 'not_seen', text };
}

/** Where something was found, the first way and how many more: one cause shows in many ways. */
export function placesOf(tried: readonly TrialResult[]): string {
  const [first = '', ...more] = new Set(tried.map(({ route }) => route.title));
  return more.length === 0 ? first : `${first} (and ${more.length} more ${more.length === 1 ? 'way' : 'ways'})`;
}

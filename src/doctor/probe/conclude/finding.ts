import type { Belief } from '../../observer/endpoint.ts';
import type { HandshakeReport } from '../examination.ts';
import type { Identity } from '../identity.ts';
import type { Tried } from '../trial.ts';
import type { Truth } from './judge-forgery.ts';

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
export interface Circumstances {
  readonly server: Belief;
  readonly identity: Identity;
  readonly truth: Truth;
  readonly handshakes: readonly HandshakeReport[];
}

/** All that was seen. */
export interface Findings {
  readonly url: string;
  readonly beliefs: readonly [Belief, ...Belief[]];
  readonly identity: Identity;
  readonly truth: Truth;
  readonly handshakes: readonly HandshakeReport[];
  /** With nothing forged. */
  readonly usual: readonly Tried[];
  readonly forged: readonly Tried[];
  /** With nothing forged, seen before the forgeries and not after them. */
  readonly shutOut: readonly Tried[];
}

/** A fault is of use only with its mend. */
export function fault(what: string, mend: string): Finding {
  return { kind: 'fault', text: `${what}. Mend: ${mend}` };
}

export function note(text: string): Finding {
  return { kind: 'note', text };
}

export function notSeen(text: string): Finding {
  return { kind: 'not_seen', text };
}

/** Where something was found, the first way and how many more: one cause shows in many ways. */
export function placesOf(tried: readonly Tried[]): string {
  const [first = '', ...more] = new Set(tried.map(({ route }) => route.title));
  return more.length === 0 ? first : `${first} (and ${more.length} more ${more.length === 1 ? 'way' : 'ways'})`;
}

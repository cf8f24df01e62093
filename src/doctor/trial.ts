import type { Answer } from './answer.ts';
import type { Protocol } from './connection.ts';
import type { Forgery } from './forgery.ts';
import type { Observation } from './observer/observe.ts';
import type { Route } from './routes.ts';

/**
 * What is shown in the handshake.
 *
 * - `own`: the operator's certificate, or one that was made for this run
 * - `stranger`: a self-signed one that was made for this run, so that nobody can have verified it
 * - `none`
 */
export type Shown = 'own' | 'stranger' | 'none';

/** One request to send: which way, with which certificate in the handshake, and what is forged in it. */
export interface Trial {
  readonly route: Route;
  readonly shown: Shown;
  readonly protocol: Protocol;
  readonly forgery: Forgery;
}

/** What became of it. Each request should be observed once; a proxy may send it again. */
export interface Tried extends Trial {
  readonly answer: Answer;
  readonly observations: readonly Observation[];
  /** Nobody whom we ask has seen it, and yet the answer may be Countersign's: of another replica. */
  readonly elsewhere: boolean;
}

/** Whether the request came to a server that we ask. */
export function isSeen({ observations }: Tried): boolean {
  return observations.length > 0;
}

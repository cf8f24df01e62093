import type { Observation } from '../observer/observe.ts';
import type { Forgery } from './forgeries/forgery.ts';
import type { Route } from './routes.ts';
import type { Failure, Protocol } from './send/connection.ts';

/**
 * What is shown in the handshake.
 *
 * - `own`: the operator's certificate, or one that was made for this run
 * - `stranger`: a self-signed one that was made for this run, so that nobody can have verified it
 * - `none`
 */
export type PresentedAs = 'own' | 'stranger' | 'none';

/** One request to send: which way, with which certificate in the handshake, and what is forged in it. */
export interface Trial {
  readonly route: Route;
  readonly presented: PresentedAs;
  readonly protocol: Protocol;
  readonly forgery: Forgery;
}

/** What became of it. Each request should be observed once; a proxy may send it again. */
export interface TrialResult extends Trial {
  readonly response: ProbeResponse;
  readonly observations: readonly Observation[];
  /** Nobody whom we ask has seen it, and yet the answer may be Countersign's: of another replica. */
  readonly elsewhere: boolean;
}

/** Whether the request came to a server that we ask. */
export function isSeen({ observations }: TrialResult): boolean {
  return observations.length > 0;
}

/** What came back for a request. */
export type ProbeResponse = Response | Failure;

interface Response {
  readonly kind: 'answered';
  readonly status: number;
  /** `error` of RFC 6749 §5.2, where the body has one. */
  readonly error: string | undefined;
  /** `error_description` of the same. */
  readonly description: string | undefined;
  /** The names of its fields, in lower case. */
  readonly fields: readonly string[];
}

/** Of a body it matters only which error it tells, and how: Countersign tells one, and a proxy that imitates it. */
export function isAnswered(status: number, fields: readonly string[], body: string): ProbeResponse {
  const [, error] = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(body) ?? [];
  const [, description] = /"error_description"\s*:\s*"([^"\\]{1,256})"/.exec(body) ?? [];
  return { kind: 'answered', status, error, description, fields };
}

/** In a few words, for people. */
export function describeResponse(answer: ProbeResponse): string {
  if (answer.kind !== 'answered') return answer.detail;
  return `HTTP ${answer.status}${answer.error === undefined ? '' : ` ${answer.error}`}`;
}

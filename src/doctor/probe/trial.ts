import type { Observation } from '../observer/observe.ts';
import type { Forgery } from './forgeries/forgery.ts';
import type { Route } from './routes.ts';
import type { Failure, Protocol } from './send/connection.ts';

/**
 * The client certificate presented in the handshake.
 *
 * - `own`: the operator's, or the one generated for this run when none was given
 * - `untrusted`: a self-signed one generated for this run, whose chain cannot be verified
 * - `none`
 */
export type PresentedAs = 'own' | 'untrusted' | 'none';

/** One request to send. */
export interface Trial {
  readonly route: Route;
  readonly presented: PresentedAs;
  readonly protocol: Protocol;
  readonly forgery: Forgery;
}

/** The outcome of a trial. Each request should be observed once, but a proxy may retry it. */
export interface TrialResult extends Trial {
  readonly response: ProbeResponse;
  readonly observations: readonly Observation[];
  /** Whether no queried server observed the request although another replica may have sent the response. */
  readonly mayBeOtherReplica: boolean;
}

/** Whether the request arrived at a queried server. */
export function isObserved({ observations }: TrialResult): boolean {
  return observations.length > 0;
}

/** The response to a request, or why there was none. */
export type ProbeResponse = Response | Failure;

interface Response {
  readonly kind: 'answered';
  readonly status: number;
  /** `error` (RFC 6749 §5.2), if the body has one. */
  readonly error: string | undefined;
  /** `error_description` (RFC 6749 §5.2), if the body has one. */
  readonly description: string | undefined;
  /** In lower case. */
  readonly fieldNames: readonly string[];
}

/** Parses no more of the body than its error, which identifies Countersign or a proxy that imitates it. */
export function parseResponse(status: number, fieldNames: readonly string[], body: string): ProbeResponse {
  const [, error] = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(body) ?? [];
  const [, description] = /"error_description"\s*:\s*"([^"\\]{1,256})"/.exec(body) ?? [];
  return { kind: 'answered', status, error, description, fieldNames };
}

/** `HTTP 400 invalid_client`, or the reason of the failure. */
export function describeResponse(response: ProbeResponse): string {
  if (response.kind !== 'answered') return response.detail;
  return `HTTP ${response.status}${response.error === undefined ? '' : ` ${response.error}`}`;
}

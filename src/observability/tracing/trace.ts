/** A step of a request that becomes a span: one for each numbered step of an endpoint or of a check. */
export type StepName =
  | 'read_form'
  | 'read_certificate'
  | 'find_client'
  | 'validate_path'
  | 'authenticate_client'
  | 'authorize'
  | 'sign_token'
  | 'verify_token'
  | 'revoke_token'
  | 'find_resource'
  // The routes of the edge.
  | 'mint'
  | 'verify'
  | 'either'
  | 'write_audit_event';

/** The trace of one request. */
export interface RequestTrace {
  /** Of the W3C Trace Context; undefined if requests are not traced. */
  readonly traceId: string | undefined;
  /** Ends the current step, and begins the next. */
  begin(step: StepName): void;
  end(outcome: TracedOutcome): void;
}

/** What a trace states about the decision. It contains nothing that the audit log does not contain. */
export interface TracedOutcome {
  readonly status: number;
  readonly code?: string | undefined;
  readonly clientId?: string | undefined;
}

/** The header of a request, as far as a trace depends on it. */
export interface TraceHeaders {
  /** The value of each line of a field. */
  all(name: 'traceparent'): readonly string[];
}

/** Begins the trace of a request. */
export interface Tracer {
  /**
   * @param name of the endpoint
   * @param headers of the request, which may belong to a trace already
   */
  start(name: string, headers: TraceHeaders): RequestTrace;
}

const untraced: RequestTrace = { traceId: undefined, begin: () => {}, end: () => {} };

/** Costs a call for each step, and nothing else. */
export const noTracer: Tracer = { start: () => untraced };

import type { Application, ErrorResponse } from '../http/application.ts';
import type { ReceivedRequest } from '../http/received-request.ts';
import type { AuditLog, Written } from '../observability/audit.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { RequestTrace, TracedOutcome } from '../observability/tracing/trace.ts';
import { tracedOutcome } from '../observability/tracing/traced-outcome.ts';
import type { RequestContext } from '../terminator/request-context.ts';
import { AccessTokenError } from '../tokens/access-token.ts';
import { parseCheckHead } from './check-head.ts';
import type { CheckCounter } from './check-metrics.ts';
import { type CheckDependencies, type CheckProgress, createCheckDecider } from './decide-check.ts';
import { Denial, denialHeaders, denialStatus, toDenial } from './denial.ts';
import { createEdgeAudit } from './edge-audit.ts';
import { respond } from './respond.ts';

export interface EdgeDependencies extends CheckDependencies {
  readonly auditLog: AuditLog;
  readonly countCheck: CheckCounter;
}

/**
 * The maximum size of the header of a check: what a client may send to the usual proxy (60 KiB, with its path), the
 * certificate, and its chain.
 */
const MAX_HEADER_BYTES = 128 * 1024;

/** The edge: what the edge listener serves. It responds with 200, 401, 403 or 503, and never with a body. */
export function createEdgeApplication(dependencies: EdgeDependencies): Application {
  const decide = audited(dependencies);
  return {
    serve: async (request, response) => {
      const trace = dependencies.auditLog.tracer.start('edge', request.fields);
      const { decision, outcome, written } = await decide(request, trace);
      const isWritten = await written;
      const { status, headers } = isWritten ? decision : unaudited;
      trace.end(isWritten ? outcome : { ...outcome, status, code: 'audit_unwritable' });
      respond(request, response, status, headers);
    },
    parseHead: parseCheckHead,
    maxHeaderBytes: MAX_HEADER_BYTES,
    sendsDate: false,
    readsBodies: false,
    acceptsAnyMethod: true,
    isShed: () => true,
    overloaded: errorResponse(new Denial('overloaded', 'the server is overloaded')),
    malformed: (code) => errorResponse(new Denial(code, code)),
  };
}

/** The status and the header of a response. */
interface Decision {
  readonly status: number;
  readonly headers: readonly string[];
}

interface AuditedDecision {
  readonly decision: Decision;
  readonly outcome: TracedOutcome;
  readonly written: Written;
}

/** Decides checks. Whatever happens in one, it is counted once and, unless it repeats an earlier one, has an audit event. */
function audited(
  dependencies: EdgeDependencies,
): (request: ReceivedRequest, trace: RequestTrace) => Promise<AuditedDecision> {
  const audit = createEdgeAudit(dependencies.auditLog, dependencies.countCheck);
  const decide = createCheckDecider(dependencies);
  const contextOf = ({ fields: headers }: ReceivedRequest, { peer, trace }: CheckProgress): RequestContext => {
    const context = peer ? dependencies.readContext({ headers, peer }) : {};
    return { ...context, trace_id: trace.traceId ?? context.trace_id };
  };
  return async (request, trace) => {
    const progress: CheckProgress = { entry: audit.begin(), trace, peer: undefined, resource: undefined };
    const { entry } = progress;
    const start = performance.now();
    try {
      const approval = await decide(request, progress);
      // Only if there is an event: a check that repeats an earlier one has none.
      const context = () => contextOf(request, progress);
      const duration = performance.now() - start;
      const outcome = tracedOutcome(entry, trace, 200);
      const written = audit.approved(entry, approval, duration, context);
      return { decision: { status: 200, headers: approval.headers }, outcome, written };
    } catch (thrown) {
      const denial = toDenial(thrown);
      addTokenOf(thrown, entry);
      const decision = denied(denial, progress);
      const { code, error, message: reason } = denial;
      Object.assign(entry, contextOf(request, progress), { code, error, status: decision.status, reason });
      const duration = performance.now() - start;
      const outcome = tracedOutcome(entry, trace, decision.status);
      return { decision, outcome, written: audit.denied(entry, denial, duration, thrown) };
    }
  };
}

/** Which token was rejected: one of our own that is expired or revoked, for example. */
function addTokenOf(thrown: unknown, entry: AuditEntry): void {
  const { token = undefined } = thrown instanceof AccessTokenError ? thrown : {};
  if (!token) return;
  entry.client_id = token.clientId;
  entry.jti = token.tokenId;
}

function denied(denial: Denial, { resource }: Pick<CheckProgress, 'resource'>): Decision {
  return { status: denialStatus[denial.error], headers: denialHeaders(denial, resource) };
}

/** The one response without an audit event. The log output reports on standard error why there is none. */
const unaudited = denied(new Denial('audit_unwritable', 'the log cannot be written'), { resource: undefined });

const phrases = { 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' } as const;

function errorResponse(denial: Denial): ErrorResponse {
  const status = denialStatus[denial.error];
  const list = denialHeaders(denial, undefined);
  const names = list.filter((_, index) => index % 2 === 0);
  const headers = Object.fromEntries(names.map((name, index) => [name, list[2 * index + 1] ?? '']));
  return { error: denial.error, status, phrase: phrases[status], headers, body: '' };
}

import type { Socket } from 'node:net';
import { type ListenerKind, peerOf } from '../endpoints/request.ts';
import type { Application } from '../http/application.ts';
import { HeaderFields } from '../http/header-fields.ts';
import type { OnMalformed } from '../http/malformed-requests.ts';
import type { ReceivedRequest } from '../http/received-request.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { AuditLog } from '../observability/audit.ts';
import { createLineBudget } from '../observability/line-budget.ts';
import type { RequestMetrics } from '../observability/request-metrics.ts';
import type { ReasonCode } from '../reasons/reasons.ts';
import type { ContextReader, RequestContext } from '../terminator/request-context.ts';

/** Counts, and writes the audit event of, each request that no endpoint sees. */
export interface UnservedRequests {
  readonly onMalformed: OnMalformed;
  readonly onShed: (reason: string, request: ReceivedRequest) => void;
}

interface UnservedRequestsOptions {
  readonly listensOn: ListenerKind;
  readonly application: Pick<Application, 'malformed' | 'overloaded'>;
  /** Of the listener: it trusts proxies of its own. */
  readonly readContext: ContextReader;
  readonly auditLog: Pick<AuditLog, 'write'>;
  readonly requests: Pick<RequestMetrics, 'rejected'>;
}

/** The requests that are rejected before they reach an endpoint: malformed ones, and those that are shed. */
export function auditUnservedRequests(options: UnservedRequestsOptions): UnservedRequests {
  const { listensOn, application, readContext, auditLog, requests } = options;
  const contextOf = (socket: Socket, fields = noFields): RequestContext => {
    try {
      return readContext({ headers: fields, peer: peerOf({ socket }, listensOn, Date.now()) });
    } catch (error) {
      // The connection is closed.
      if (error instanceof OAuthError) return {};
      throw error;
    }
  };
  const countLeftOut = createLineBudget(() => performance.now());
  return {
    onMalformed: (malformed, socket, fields) => {
      requests.rejected(malformed.code);
      const leftOut = withoutRequest.has(malformed.code) ? countLeftOut() : 0;
      if (leftOut === undefined) return;
      const { error, status } = application.malformed(malformed.code);
      const entry = {
        event: 'request_malformed',
        ...contextOf(socket, fields),
        error,
        status,
        ...malformed,
        ...(leftOut > 0 && { left_out: leftOut }),
        duration_ms: 0,
      };
      void auditLog.write('warn', entry, 'malformed request rejected');
    },
    onShed: (reason, { socket, fields }) => {
      requests.rejected('overloaded');
      const { error, status } = application.overloaded;
      const decision = { code: 'overloaded', error, status, reason, duration_ms: 0 } as const;
      const entry = { event: 'request_shed', ...contextOf(socket, fields), ...decision };
      void auditLog.write('warn', entry, 'request rejected: the server is overloaded');
    },
  };
}

/** The reasons of connections on which nothing was requested. All of them are counted, but not all are logged. */
const withoutRequest: ReadonlySet<ReasonCode> = new Set(['tls_handshake_failed', 'protocol_mismatch']);

/** Of bytes that are not a request. */
const noFields = new HeaderFields([]);

import type { AuditEntry } from './audit-entry.ts';
import type { Log } from './log.ts';
import type { RecentDecisions } from './recent-decisions.ts';
import type { EndpointName, RequestMetrics } from './request-metrics.ts';
import { noTracer, type RequestTrace, type TraceHeaders, type Tracer } from './tracing/trace.ts';

/** How the decisions of an endpoint appear in the audit log and in the metrics. */
export interface AuditedEndpoint {
  /** Of its metrics, and in its messages. */
  readonly name: EndpointName;
  readonly granted: GrantedOutcome;
  /** Of a granted request about a token that is not active. */
  readonly inactive?: GrantedOutcome;
  readonly rejected: { readonly event: string };
}

interface GrantedOutcome {
  readonly event: string;
  readonly message: string;
  /** Value of the metric label `outcome`. */
  readonly outcome: string;
}

/** Resolves when a decision has been written: to false if it could not be. */
export type Written = Promise<boolean>;

/**
 * Records each decision of one endpoint once: a log event, and the metrics. An entry is not copied, so that its log line
 * is cheap: it must not be changed afterwards. A decision is counted once it is known whether its event is written:
 * otherwise the request is rejected, whatever the decision was.
 */
export interface Audit {
  /** The entry of a new request. */
  begin(): AuditEntry;
  /** @param headers of the request */
  startTrace(headers: TraceHeaders): RequestTrace;
  granted(entry: AuditEntry, durationMilliseconds: number): Written;
  rejected(entry: AuditEntry, durationMilliseconds: number): Written;
  /** An internal error. `cause` is what was thrown. */
  failed(entry: AuditEntry, durationMilliseconds: number, cause?: unknown): Written;
}

export interface AuditLog {
  readonly tracer: Tracer;
  readonly forEndpoint: (endpoint: AuditedEndpoint) => Audit;
  /** Writes one event, for decisions that are counted elsewhere. The entry must not be changed afterwards. */
  readonly write: (level: keyof Log, entry: AuditEntry, message: string) => Written;
}

export interface AuditOptions {
  /** Omitted if no page shows them. */
  readonly recent?: RecentDecisions | undefined;
  /** Default: requests are not traced. */
  readonly tracer?: Tracer | undefined;
}

/** @param written whether the lines that were logged last have been written */
export function createAuditLog(
  log: Log,
  requests: RequestMetrics,
  written: () => Written,
  { recent, tracer = noTracer }: AuditOptions = {},
): AuditLog {
  const write: AuditLog['write'] = (level, entry, message) => {
    boundReason(entry);
    recent?.add(entry, entry.status === undefined);
    log[level](entry, message);
    return written();
  };
  const forEndpoint = ({ name, granted, inactive = granted, rejected: { event } }: AuditedEndpoint): Audit => {
    const record = requests.forEndpoint(name, [...new Set([granted.outcome, inactive.outcome])]);
    const countWritten = async (writing: Written, outcome: string, entry: AuditEntry, duration: number) => {
      const isWritten = await writing;
      if (isWritten) record(outcome, entry.code ?? '', duration);
      else record('rejected', 'audit_unwritable', duration);
      return isWritten;
    };
    return {
      begin: () => ({ event }),
      startTrace: (headers) => tracer.start(name, headers),
      granted: (entry, duration) => {
        const { event, message, outcome } = entry.active === false ? inactive : granted;
        entry.event = event;
        entry.duration_ms = inHundredths(duration);
        const writing = write(entry.advice === undefined ? 'info' : 'warn', entry, message);
        return countWritten(writing, outcome, entry, duration);
      },
      rejected: (entry, duration) => {
        entry.duration_ms = inHundredths(duration);
        return countWritten(write('warn', entry, `${name} request rejected`), 'rejected', entry, duration);
      },
      failed: (entry, duration, cause) => {
        entry.duration_ms = inHundredths(duration);
        if (cause instanceof Error && cause.stack !== undefined) entry.stack = cause.stack;
        return countWritten(write('error', entry, `${name} request failed`), 'failed', entry, duration);
      },
    };
  };
  return { tracer, forEndpoint, write };
}

/** The form of `duration_ms`. */
export function inHundredths(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

const MAX_REASON_CHARACTERS = 4_000;

/** Reasons are short by construction; this bounds the log line even if one is not. */
function boundReason(entry: AuditEntry): void {
  if (entry.reason === undefined || entry.reason.length <= MAX_REASON_CHARACTERS) return;
  entry.reason = `${entry.reason.slice(0, MAX_REASON_CHARACTERS).toWellFormed()}…`;
}

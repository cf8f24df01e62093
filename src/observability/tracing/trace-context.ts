import type { TraceHeaders } from './trace.ts';

/** The W3C Trace Context that a request belongs to. */
export interface TraceContext {
  readonly traceId: string;
  /** The span of the sender. */
  readonly spanId: string;
  /** Bit 0: the sender samples the trace. */
  readonly flags: number;
}

/** W3C Trace Context §3.2.2: version, trace-id, parent-id and trace-flags. A later version may append fields. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/**
 * Reads `traceparent`. The client may choose it: it only connects log lines and spans.
 *
 * @returns undefined if there is none, or it is malformed
 */
export function readTraceContext(headers: TraceHeaders): TraceContext | undefined {
  const lines = headers.all('traceparent');
  const [traceparent] = lines;
  if (traceparent === undefined || lines.length > 1) return undefined;
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && more === '-')) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

import { setTimeout as delay } from 'node:timers/promises';
import { type Attributes, diag, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { supportForeignCurves } from '../../peer-certificates.ts';
import type { Log } from '../log.ts';
import type { RequestTrace, StepName, TracedOutcome, TraceHeaders, Tracer } from './trace.ts';
import { readTraceContext } from './trace-context.ts';
import type { SamplerName, TracingConfig } from './tracing-config.ts';

export interface OtlpTracer extends Tracer {
  /** Exports what is left, for at most 3 s. */
  close(): Promise<void>;
}

const CLOSE_MILLISECONDS = 3_000;

/**
 * A tracer that exports spans by OTLP. The exporter itself reads its endpoint, headers and certificates from the variables of
 * OpenTelemetry.
 */
export function createOtlpTracer(config: TracingConfig, version: string, log: Log): OtlpTracer {
  const report = exportProblemReporter(log);
  const ignore = () => {};
  diag.setLogger(
    { error: report, warn: report, info: report, debug: ignore, verbose: ignore },
    { suppressOverrideMessage: true },
  );
  supportForeignCurves();
  const exporter = config.protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'countersign', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplers[config.sampler](config.ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('countersign', version);
  return {
    start: (name, headers) => {
      const root = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: now() }, parentContext(headers));
      return new SpanTrace(root, (step, startTime) =>
        tracer.startSpan(step, { startTime }, trace.setSpan(ROOT_CONTEXT, root)),
      );
    },
    close: async () => {
      // Without a collector, the exporter would try again for longer.
      const isExported = await Promise.race([
        // It rejects for what cannot be sent, such as the name of an invalid header.
        provider.shutdown().then(
          () => true,
          (error: unknown) => {
            report(String(error));
            return true;
          },
        ),
        delay(CLOSE_MILLISECONDS, false, { ref: false }),
      ]);
      if (!isExported) report(`the collector did not respond within ${CLOSE_MILLISECONDS / 1_000} s`);
    },
  };
}

const samplers: Readonly<Record<SamplerName, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

function parentContext(headers: TraceHeaders) {
  const parent = readTraceContext(headers);
  if (!parent) return ROOT_CONTEXT;
  const { traceId, spanId, flags: traceFlags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** The span of a request, with a child for each step. */
class SpanTrace implements RequestTrace {
  readonly #root: Span;
  readonly #startStep: (step: StepName, time: number) => Span;
  #current: Span | undefined;

  constructor(root: Span, startStep: (step: StepName, time: number) => Span) {
    this.#root = root;
    this.#startStep = startStep;
  }

  get traceId(): string {
    return this.#root.spanContext().traceId;
  }

  begin(step: StepName): void {
    const time = now();
    this.#current?.end(time);
    this.#current = this.#startStep(step, time);
  }

  end({ status, code, clientId }: TracedOutcome): void {
    const time = now();
    this.#current?.end(time);
    this.#root.setAttributes(withoutUndefined({ code, clientId, status }));
    // As HTTP servers do: a rejected request is not an error of the server.
    if (status >= 500) this.#root.setStatus({ code: SpanStatusCode.ERROR });
    this.#root.end(time);
  }
}

/**
 * Milliseconds since the epoch, of one clock for all spans of a request. The default of the library is a clock in whole
 * milliseconds for a span whose start is given: it would end before it starts.
 */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function withoutUndefined({ status, code, clientId }: TracedOutcome): Attributes {
  return {
    'http.response.status_code': status,
    ...(code !== undefined && { 'countersign.code': code }),
    ...(clientId !== undefined && { 'countersign.client_id': clientId }),
  };
}

/** How long the same problem is not logged again. */
const REPEAT_MILLISECONDS = 60_000;
/** The text of a problem may be another one each time. */
const MAX_PROBLEMS = 20;

/** Logs what the library reports, which it does again for every batch. */
function exportProblemReporter(log: Log): (problem: string) => void {
  /** Until when each problem is not logged again. */
  const logged = new Map<string, number>();
  return (problem) => {
    const now = performance.now();
    for (const [known, end] of logged) if (end <= now) logged.delete(known);
    const reason = problem.slice(0, 1_000);
    if (logged.has(reason) || logged.size === MAX_PROBLEMS) return;
    logged.set(reason, now + REPEAT_MILLISECONDS);
    log.warn({ event: 'trace_export_failed', reason }, 'traces cannot be exported');
  };
}

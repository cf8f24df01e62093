import packageJson from '../../package.json' with { type: 'json' };
import type { Log } from '../observability/log.ts';
import { noTracer, type Tracer } from '../observability/tracing/trace.ts';
import type { TracingConfig } from '../observability/tracing/tracing-config.ts';

/** Opens the configured tracer, and defers closing it to `opened`. The code of OpenTelemetry is loaded only then. */
export async function openTracer(
  config: TracingConfig | undefined,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<Tracer> {
  if (!config) return noTracer;
  const { createOtlpTracer } = await import('../observability/tracing/otlp-tracer.ts');
  const tracer = createOtlpTracer(config, packageJson.version, log);
  opened.defer(tracer.close);
  return tracer;
}

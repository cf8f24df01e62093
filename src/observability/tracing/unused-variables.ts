import { closestMatch } from '../../closest-match.ts';
import type { OtelEnvironment } from './exporter-variables.ts';

const exporterSuffixes = [
  ...['ENDPOINT', 'PROTOCOL', 'HEADERS', 'TIMEOUT', 'COMPRESSION'],
  ...['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'],
];

/** The variables of OpenTelemetry that have an effect. */
const used: readonly string[] = [
  ...['OTEL_SDK_DISABLED', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'],
  ...['OTEL_TRACES_EXPORTER', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'],
  ...exporterSuffixes.flatMap((suffix) => [`OTEL_EXPORTER_OTLP_${suffix}`, `OTEL_EXPORTER_OTLP_TRACES_${suffix}`]),
];

/** Metrics and logs are not exported by OTLP: what is set for them concerns other programs. */
const OTHER_SIGNAL = /^OTEL_(?:METRICS?|LOGS?|EXPORTER_(?:PROMETHEUS|OTLP_(?:METRICS|LOGS)))_/;

/**
 * Warnings of the variables that look as if they changed the traces, and have no effect.
 *
 * @param areTraced without traces, only what may be a misspelt variable is reported
 */
export function unusedVariables(env: OtelEnvironment, areTraced: boolean): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('OTEL_') && env[name] !== '' && !used.includes(name) && !OTHER_SIGNAL.test(name))
    .flatMap((name) => {
      const suggestion = misspelt(name);
      if (suggestion === undefined && !areTraced) return [];
      const hint = suggestion === undefined ? 'see "Traces" in docs/operate.md' : `did you mean ${suggestion}?`;
      return [`${name} has no effect (${hint})`];
    });
}

/** The names share long prefixes, which must not count. */
function misspelt(name: string): string | undefined {
  const suggestion = closestMatch(
    name.slice('OTEL_'.length),
    used.map((each) => each.slice('OTEL_'.length)),
  );
  return suggestion !== undefined && Math.abs(suggestion.length + 'OTEL_'.length - name.length) <= 2
    ? `OTEL_${suggestion}`
    : undefined;
}

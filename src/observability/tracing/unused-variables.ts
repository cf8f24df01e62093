import { closestMatch } from '../../closest-match.ts';
import { documentationUrl } from '../../documentation.ts';
import { isServiceLink } from '../../service-link.ts';
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
  const isOurs = (name: string) => name.startsWith('OTEL_') && !OTHER_SIGNAL.test(name) && !isServiceLink(name);
  return Object.keys(env)
    .filter((name) => isOurs(name) && env[name] !== '' && !used.includes(name))
    .flatMap((name) => {
      const suggestion = misspelt(name);
      if (suggestion === undefined && !areTraced) return [];
      const hint =
        suggestion === undefined ? `see "Traces" in ${documentationUrl('operate.md')}` : `did you mean ${suggestion}?`;
      return [`${name} has no effect (${hint})`];
    });
}

/** The names share long prefixes, which must not count. */
function misspelt(name: string): string | undefined {
  return used.find((candidate) => {
    const prefix = sharedWords(name, candidate);
    return closestMatch(name.slice(prefix.length), [candidate.slice(prefix.length)]) !== undefined;
  });
}

/** The words with which both names begin, each with its underscore. */
function sharedWords(name: string, other: string): string {
  const words = name.match(/[^_]*_/g) ?? [];
  return words.reduce((shared, word) => (other.startsWith(shared + word) ? shared + word : shared), '');
}

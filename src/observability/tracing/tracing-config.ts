import { exporterProblems, type OtelEnvironment } from './exporter-variables.ts';

/** How requests are traced, from the variables of OpenTelemetry. */
export interface TracingConfig {
  readonly protocol: OtlpProtocol;
  readonly sampler: SamplerName;
  /** From 0 to 1. */
  readonly ratio: number;
}

const protocols = ['http/protobuf', 'http/json'] as const;
type OtlpProtocol = (typeof protocols)[number];

const samplerNames = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;
export type SamplerName = (typeof samplerNames)[number];

/**
 * Reads how requests are traced (OpenTelemetry Environment Variable Specification). Empty variables count as unset there.
 *
 * @param onProblem called with a sentence for each variable that is invalid
 * @returns undefined if no endpoint is set, or tracing is switched off
 */
export function readTracingConfig(
  env: OtelEnvironment,
  onProblem: (problem: string) => void,
): TracingConfig | undefined {
  const read = (...names: readonly string[]) => {
    const name = names.find((each) => (env[each] ?? '') !== '');
    return name === undefined ? undefined : { name, value: env[name] ?? '' };
  };
  const endpoint = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const [disabled, exporter] = [read('OTEL_SDK_DISABLED'), read('OTEL_TRACES_EXPORTER')];
  if (!endpoint || disabled?.value.toLowerCase() === 'true' || exporter?.value === 'none') return undefined;
  if (disabled && disabled.value.toLowerCase() !== 'false') {
    onProblem(`${disabled.name}: "${disabled.value}" is neither true nor false`);
  }
  if (exporter && exporter.value !== 'otlp') {
    onProblem(`${exporter.name}: "${exporter.value}" is not supported: use otlp, or none for no traces`);
  }
  for (const problem of exporterProblems(env)) onProblem(problem);
  if (!/^https?:$/.test(URL.parse(endpoint.value)?.protocol ?? '')) {
    onProblem(`${endpoint.name}: "${endpoint.value}" is not an http or https URL, such as http://127.0.0.1:4318`);
  }
  const oneOf = <Name extends string>(names: readonly [Name, ...Name[]], found: ReturnType<typeof read>): Name => {
    const known = names.find((name) => name === found?.value);
    if (found && !known) onProblem(`${found.name}: "${found.value}" is not supported: use ${names.join(', ')}`);
    return known ?? names[0];
  };
  const ratio = read('OTEL_TRACES_SAMPLER_ARG');
  if (ratio && !(Number(ratio.value) >= 0 && Number(ratio.value) <= 1)) {
    onProblem(`${ratio.name}: "${ratio.value}" is not a number from 0 to 1`);
  }
  return {
    protocol: oneOf(protocols, read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL')),
    sampler: oneOf(samplerNames, read('OTEL_TRACES_SAMPLER')),
    ratio: ratio ? Number(ratio.value) : 1,
  };
}

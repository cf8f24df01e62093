import { clientPairProblem, endpointProblem, exporterProblems, type OtelEnvironment } from './exporter-variables.ts';
import { unusedVariables } from './unused-variables.ts';

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

/** Each is called with a sentence for a variable. */
export interface TracingDiagnostics {
  /** It is invalid, and the traces would be lost. */
  readonly onProblem: (problem: string) => void;
  /** It has no effect. */
  readonly onWarning: (warning: string) => void;
}

/**
 * Reads how requests are traced (OpenTelemetry Environment Variable Specification). Empty variables count as unset there.
 *
 * @returns undefined if no endpoint is set, or tracing is switched off
 */
export function readTracingConfig(
  env: OtelEnvironment,
  { onProblem, onWarning }: TracingDiagnostics,
): TracingConfig | undefined {
  const read = (...names: readonly string[]) => {
    const name = names.find((each) => (env[each] ?? '') !== '');
    return name === undefined ? undefined : { name, value: env[name] ?? '' };
  };
  const endpoint = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const [disabled, exporter] = [read('OTEL_SDK_DISABLED'), read('OTEL_TRACES_EXPORTER')];
  const isOff = !endpoint || disabled?.value.toLowerCase() === 'true' || exporter?.value === 'none';
  for (const warning of unusedVariables(env, !isOff)) onWarning(warning);
  if (isOff) return undefined;
  if (disabled && disabled.value.toLowerCase() !== 'false') {
    onProblem(`${disabled.name}: "${disabled.value}" is neither true nor false`);
  }
  if (exporter && exporter.value !== 'otlp') {
    onProblem(`${exporter.name}: "${exporter.value}" is not supported: use otlp, or none for no traces`);
  }
  for (const problem of exporterProblems(env)) onProblem(problem);
  const clientPair = clientPairProblem(env);
  if (clientPair !== undefined) onProblem(clientPair);
  const invalidEndpoint = endpointProblem(endpoint.name, endpoint.value);
  if (invalidEndpoint !== undefined) onProblem(`${endpoint.name}: ${invalidEndpoint}`);
  const oneOf = <Name extends string>(names: readonly [Name, ...Name[]], found: ReturnType<typeof read>): Name => {
    const known = names.find((name) => name === found?.value);
    if (found && !known) onProblem(`${found.name}: "${found.value}" is not supported: use ${names.join(', ')}`);
    return known ?? names[0];
  };
  const ratio = read('OTEL_TRACES_SAMPLER_ARG');
  if (ratio && !isRatio(ratio.value)) {
    onProblem(`${ratio.name}: "${ratio.value}" is not a number from 0 to 1`);
  }
  const protocol = oneOf(protocols, read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'));
  const sampler = oneOf(samplerNames, read('OTEL_TRACES_SAMPLER'));
  if (ratio && !sampler.endsWith('traceidratio')) {
    onWarning(
      `${ratio.name} has no effect with the sampler ${sampler}: set OTEL_TRACES_SAMPLER=parentbased_traceidratio`,
    );
  }
  if (!areResourceAttributes(env.OTEL_RESOURCE_ATTRIBUTES ?? '')) {
    onWarning(
      'OTEL_RESOURCE_ATTRIBUTES has no effect: write name=value, with a percent-encoded value and commas between the attributes',
    );
  }
  return {
    protocol,
    sampler,
    ratio: ratio ? Number(ratio.value) : 1,
  };
}

function isRatio(value: string): boolean {
  return value.trim() !== '' && Number(value) >= 0 && Number(value) <= 1;
}

/** The library drops all of them if one is malformed. */
function areResourceAttributes(list: string): boolean {
  return list.split(',').every((entry) => {
    const [name = '', value, ...more] = entry.split('=');
    if (entry.trim() === '') return true;
    return name.trim() !== '' && value !== undefined && more.length === 0 && isDecodable(entry);
  });
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

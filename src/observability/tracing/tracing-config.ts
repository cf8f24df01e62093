import {
  checkEndpoint,
  clientPairProblems,
  exporterProblems,
  type OtelEnvironment,
  type OtelVariable,
} from './exporter-variables.ts';
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
  const endpoint = find(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const isOff = !endpoint || isSwitchedOff(env);
  for (const warning of unusedVariables(env, !isOff)) onWarning(warning);
  if (isOff) return undefined;
  for (const problem of [...switchProblems(env), ...exporterProblems(env), ...clientPairProblems(env)])
    onProblem(problem);
  const { problem, warning } = checkEndpoint(endpoint);
  if (problem !== undefined) onProblem(`${endpoint.name}: ${problem}`);
  if (warning !== undefined) onWarning(`${endpoint.name}: ${warning}`);
  const protocol = readName(
    protocols,
    find(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'),
    onProblem,
  );
  const sampler = readName(samplerNames, find(env, 'OTEL_TRACES_SAMPLER'), onProblem);
  const ratio = readRatio(find(env, 'OTEL_TRACES_SAMPLER_ARG'), sampler, { onProblem, onWarning });
  if (!areResourceAttributes(env.OTEL_RESOURCE_ATTRIBUTES ?? '')) onWarning(RESOURCE_ATTRIBUTES);
  return { protocol, sampler, ratio };
}

const RESOURCE_ATTRIBUTES =
  'OTEL_RESOURCE_ATTRIBUTES has no effect: write name=value, with a percent-encoded value and commas between the attributes';

/** The first of these variables that is set. */
function find(env: OtelEnvironment, ...names: readonly string[]): OtelVariable | undefined {
  const name = names.find((each) => (env[each] ?? '') !== '');
  return name === undefined ? undefined : { name, value: env[name] ?? '' };
}

function isSwitchedOff({ OTEL_SDK_DISABLED = '', OTEL_TRACES_EXPORTER }: OtelEnvironment): boolean {
  return OTEL_SDK_DISABLED.toLowerCase() === 'true' || OTEL_TRACES_EXPORTER === 'none';
}

function switchProblems(env: OtelEnvironment): readonly string[] {
  const [disabled, exporter] = [find(env, 'OTEL_SDK_DISABLED'), find(env, 'OTEL_TRACES_EXPORTER')];
  const problems: string[] = [];
  if (disabled && disabled.value.toLowerCase() !== 'false')
    problems.push(`${disabled.name}: "${disabled.value}" is neither true nor false`);
  if (exporter && exporter.value !== 'otlp')
    problems.push(`${exporter.name}: "${exporter.value}" is not supported: use otlp, or none for no traces`);
  return problems;
}

type Report = (sentence: string) => void;

/** One of the names; the first of them if it is unset or unknown. */
function readName<Name extends string>(
  names: readonly [Name, ...Name[]],
  found: OtelVariable | undefined,
  onProblem: Report,
): Name {
  const known = names.find((name) => name === found?.value);
  if (found && !known) onProblem(`${found.name}: "${found.value}" is not supported: use ${names.join(', ')}`);
  return known ?? names[0];
}

function readRatio(
  found: OtelVariable | undefined,
  sampler: SamplerName,
  { onProblem, onWarning }: TracingDiagnostics,
): number {
  if (!found) return 1;
  const { name, value } = found;
  if (!isRatio(value)) onProblem(`${name}: "${value}" is not a number from 0 to 1`);
  if (!sampler.endsWith('traceidratio'))
    onWarning(`${name} has no effect with the sampler ${sampler}: set OTEL_TRACES_SAMPLER=parentbased_traceidratio`);
  return Number(value);
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

import { readFileSync } from 'node:fs';
import { fileErrorReason } from '../../file-error.ts';

/** The variables of OpenTelemetry. */
export type OtelEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The problems of the variables that the exporter reads itself (OpenTelemetry Protocol Exporter). It ignores a value that it
 * cannot use, or fails with each batch of spans: either way, the traces are lost. No sentence contains a header.
 */
export function exporterProblems(env: OtelEnvironment): readonly string[] {
  return Object.entries(checks).flatMap(([suffix, check]) =>
    [`OTEL_EXPORTER_OTLP_${suffix}`, `OTEL_EXPORTER_OTLP_TRACES_${suffix}`].flatMap((name) => {
      const value = env[name] ?? '';
      const problem = value === '' ? undefined : check(value);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    }),
  );
}

/** By the end of the name. Each returns what is wrong with a value, if anything is. */
const checks: Readonly<Record<string, (value: string) => string | undefined>> = {
  HEADERS: headersProblem,
  TIMEOUT: (value) =>
    Number(value) > 0 && Number.isFinite(Number(value))
      ? undefined
      : `"${value}" is not a number of milliseconds, such as 10000`,
  COMPRESSION: (value) =>
    ['gzip', 'none'].includes(value.trim()) ? undefined : `"${value}" is not supported: use gzip or none`,
  CERTIFICATE: fileProblem,
  CLIENT_CERTIFICATE: fileProblem,
  CLIENT_KEY: fileProblem,
};

function headersProblem(list: string): string | undefined {
  const invalid = list.split(',').findIndex((entry) => entry.trim() !== '' && !isHeader(entry));
  const form = 'name=value, with a percent-encoded value and commas between the headers';
  return invalid < 0 ? undefined : `header ${invalid + 1} is invalid: write it as ${form}`;
}

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function isHeader(entry: string): boolean {
  const separator = entry.indexOf('=');
  const [name, value] = [entry.slice(0, Math.max(0, separator)).trim(), entry.slice(separator + 1).trim()];
  try {
    // RFC 9110 §5.5: printable characters, spaces and tabs.
    return TOKEN.test(decodeURIComponent(name)) && /^[\t\x20-\x7e]+$/.test(decodeURIComponent(value));
  } catch {
    return false;
  }
}

function fileProblem(path: string): string | undefined {
  try {
    readFileSync(path);
    return undefined;
  } catch (error) {
    return `${path} cannot be read: ${fileErrorReason(error)}`;
  }
}

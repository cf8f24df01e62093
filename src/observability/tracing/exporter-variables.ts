import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileErrorReason } from '../../errors/file-error.ts';
import { decodePemBlock, parsePemFile } from '../../files/pem-file.ts';
import { parsePrivateKeyFile } from '../../files/private-key.ts';

/** The variables of OpenTelemetry. */
export type OtelEnvironment = Readonly<Record<string, string | undefined>>;

/** One that is set. */
export interface OtelVariable {
  readonly name: string;
  readonly value: string;
}

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
  CERTIFICATE: fileProblem(requireCertificate),
  CLIENT_CERTIFICATE: fileProblem(requireCertificate),
  CLIENT_KEY: fileProblem(parsePrivateKeyFile),
};

/** The exporter ignores files that TLS cannot use. */
function requireCertificate(content: Uint8Array): void {
  const certificates = parsePemFile(content).blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (certificates.length === 0) throw new RangeError('contains no certificate in PEM');
  for (const block of certificates) new X509Certificate(decodePemBlock(block));
}

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

/** @param parse throws if the content of the file cannot be used */
function fileProblem(parse: (content: Uint8Array) => void) {
  return (path: string): string | undefined => {
    let content: Uint8Array;
    try {
      content = readFileSync(path);
    } catch (error) {
      return `${path} cannot be read: ${fileErrorReason(error)}`;
    }
    try {
      parse(content);
      return undefined;
    } catch (error) {
      return `${path} ${error instanceof Error ? error.message : error}`;
    }
  };
}

/** What is wrong with an endpoint, or what it probably does not mean. Never quotes a password, or a query, which may be a key. */
export function checkEndpoint({ name, value }: OtelVariable): { readonly problem?: string; readonly warning?: string } {
  const url = URL.parse(value);
  if (url && (url.username !== '' || url.password !== '')) {
    return { problem: 'contains a user name or a password, which is not sent: use OTEL_EXPORTER_OTLP_HEADERS' };
  }
  if (!url || !/^https?:$/.test(url.protocol)) {
    return { problem: `"${value}" is not an http or https URL, such as http://127.0.0.1:4318` };
  }
  if (value !== value.trim()) return { problem: 'begins or ends with a space: remove it' };
  return name === WHOLE_URL ? checkWholeUrl(url) : checkBase(url);
}

/** Used as it is. Of the other one, the path of the traces is appended (OpenTelemetry Protocol Exporter). */
const WHOLE_URL = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const TRACES_PATH = '/v1/traces';

function checkWholeUrl(url: URL): ReturnType<typeof checkEndpoint> {
  if (url.hash !== '') return { problem: 'has a fragment, which is not sent: remove it' };
  if (url.pathname !== '/') return {};
  return {
    warning: `has no path, and traces are sent to ${url.origin}/: collectors expect them at ${url.origin}${TRACES_PATH}`,
  };
}

function checkBase(url: URL): ReturnType<typeof checkEndpoint> {
  if (url.search !== '' || url.hash !== '') {
    return {
      problem: `has a query or a fragment, and ${TRACES_PATH} would become a part of it: set ${WHOLE_URL} to the whole URL`,
    };
  }
  const path = url.pathname.replace(/\/$/, '');
  if (!path.endsWith(TRACES_PATH)) return {};
  const base = url.origin + path.slice(0, -TRACES_PATH.length);
  return {
    warning: `${TRACES_PATH} is appended, so traces are sent to ${url.origin}${path}${TRACES_PATH}: set it to ${base}, or ${WHOLE_URL} to the whole URL`,
  };
}

/** A certificate without its key, or a key without its certificate, is not used. */
export function clientPairProblems(env: OtelEnvironment): readonly string[] {
  const has = (suffix: string) =>
    ['', 'TRACES_'].some((signal) => (env[`OTEL_EXPORTER_OTLP_${signal}${suffix}`] ?? '') !== '');
  const [hasCertificate, hasKey] = [has('CLIENT_CERTIFICATE'), has('CLIENT_KEY')];
  if (hasCertificate === hasKey) return [];
  const missing = hasCertificate ? 'CLIENT_KEY' : 'CLIENT_CERTIFICATE';
  return [`OTEL_EXPORTER_OTLP_${missing}: is not set, and the client certificate needs its key`];
}

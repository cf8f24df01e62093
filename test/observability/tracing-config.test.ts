import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTracingConfig } from '../../src/observability/tracing/tracing-config.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const certificate = join(temporaryDirectory(), 'ca.pem');
writeFileSync(certificate, '');

function read(env: Readonly<Record<string, string>>) {
  const problems: string[] = [];
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', ...env };
  return { config: readTracingConfig(all, (problem) => problems.push(problem)), problems };
}

test.each<Record<string, string>>([
  {},
  { OTEL_SDK_DISABLED: 'FALSE', OTEL_TRACES_EXPORTER: 'otlp' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a, x-tenant = b,' },
  { OTEL_EXPORTER_OTLP_TIMEOUT: '500', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip' },
  { OTEL_EXPORTER_OTLP_CERTIFICATE: certificate },
  { OTEL_EXPORTER_OTLP_HEADERS: '', OTEL_EXPORTER_OTLP_TIMEOUT: '' },
])('tracing is configured by %j', (env) => {
  expect(read(env)).toEqual({
    config: { protocol: 'http/protobuf', sampler: 'parentbased_always_on', ratio: 1 },
    problems: [],
  });
});

test.each<Record<string, string>>([
  { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
  { OTEL_SDK_DISABLED: 'True', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
  { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
])('there are no traces with %j, whatever the other variables are', (env) => {
  expect(read(env)).toEqual({ config: undefined, problems: [] });
});

describe('a value that loses traces is reported:', () => {
  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'is not an http or https URL'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', '"grpc" is not supported: use http/protobuf, http/json'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'is not supported'],
    ['OTEL_TRACES_SAMPLER_ARG', '2', 'is not a number from 0 to 1'],
    ['OTEL_SDK_DISABLED', 'yes', '"yes" is neither true nor false'],
    ['OTEL_TRACES_EXPORTER', 'console', '"console" is not supported: use otlp, or none'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', '"10s" is not a number of milliseconds'],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '0', '"0" is not a number of milliseconds'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', '"zstd" is not supported: use gzip or none'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=1,secret', 'header 2 is invalid'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=secret', 'header 1 is invalid'],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'a=%0asecret', 'header 1 is invalid'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%', 'header 1 is invalid'],
    ['OTEL_EXPORTER_OTLP_HEADERS', '=secret', 'header 1 is invalid'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/nowhere', '/nowhere cannot be read: no such file or directory'],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', '/', '/ cannot be read: '],
  ])('%s=%s', (name, value, problem) => {
    const { problems } = read({ [name]: value });
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
    expect(problems[0]).not.toContain('secret');
  });
});

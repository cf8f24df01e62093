import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documentationUrl } from '../../src/documentation.ts';
import { readTracingConfig } from '../../src/observability/tracing/tracing-config.ts';
import { createTestCa } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const certificate = join(temporaryDirectory(), 'ca.pem');
const { pem, privateKeyPem } = createTestCa();
writeFileSync(certificate, pem);
const key = join(temporaryDirectory(), 'key.pem');
writeFileSync(key, privateKeyPem);
const garbage = join(temporaryDirectory(), 'garbage.pem');
writeFileSync(garbage, 'secret');

function read(env: Readonly<Record<string, string>>) {
  const [problems, warnings]: [string[], string[]] = [[], []];
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', ...env };
  const diagnostics = {
    onProblem: (problem: string) => void problems.push(problem),
    onWarning: (warning: string) => void warnings.push(warning),
  };
  return { config: readTracingConfig(all, diagnostics), problems, warnings };
}

test.each<Record<string, string>>([
  {},
  { OTEL_SDK_DISABLED: 'FALSE', OTEL_TRACES_EXPORTER: 'otlp' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a, x-tenant = b,' },
  { OTEL_EXPORTER_OTLP_TIMEOUT: '500', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip' },
  { OTEL_EXPORTER_OTLP_CERTIFICATE: certificate },
  { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: certificate, OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: key },
  { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/traces?tenant=a' },
  { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a, deployment.environment.name=b%2Cc,' },
  { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' },
  { OTEL_EXPORTER_OTLP_HEADERS: '', OTEL_EXPORTER_OTLP_TIMEOUT: '' },
])('tracing is configured by %j', (env) => {
  expect(read(env)).toEqual({
    config: { protocol: 'http/protobuf', sampler: 'parentbased_always_on', ratio: 1 },
    problems: [],
    warnings: [],
  });
});

test.each<Record<string, string>>([
  { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_BSP_SCHEDULE_DELAY: '100' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
  { OTEL_SDK_DISABLED: 'True', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
  { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' },
])('there are no traces with %j, whatever the other variables are', (env) => {
  expect(read(env)).toEqual({ config: undefined, problems: [], warnings: [] });
});

describe('a value that loses traces is reported:', () => {
  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'is not an http or https URL'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', '"grpc" is not supported: use http/protobuf, http/json'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://user:secret@collector:4317', 'contains a user name or a password'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://collector/?key=secret', 'has a query or a fragment'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'https://collector/?key=secret#a', 'has a fragment, which is not sent'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318 ', 'begins or ends with a space'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc', '"grpc" is not supported'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'is not supported'],
    ['OTEL_TRACES_SAMPLER_ARG', '2', 'is not a number from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', ' ', 'is not a number from 0 to 1'],
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
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/', '/ cannot be read: '],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', garbage, 'garbage.pem contains no certificate in PEM'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', key, 'key.pem contains no certificate in PEM'],
  ])('%s=%s', (name, value, problem) => {
    const { problems } = read({ [name]: value });
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
    expect(problems[0]).not.toContain('secret');
  });
});

test.each([
  ['CLIENT_KEY', 'CLIENT_CERTIFICATE', certificate],
  ['CLIENT_CERTIFICATE', 'CLIENT_KEY', key],
])('a missing %s is reported', (missing, name, value) => {
  const { problems } = read({ [`OTEL_EXPORTER_OTLP_${name}`]: value });
  expect(problems).toEqual([`OTEL_EXPORTER_OTLP_${missing}: is not set, and the client certificate needs its key`]);
});

describe('an endpoint with another path than collectors have is a warning, and is not altered:', () => {
  test.each([
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'http://collector:4318/v1/traces',
      '/v1/traces is appended, so traces are sent to http://collector:4318/v1/traces/v1/traces: set it to http://collector:4318, or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the whole URL',
    ],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'https://collector/a/v1/traces/',
      'sent to https://collector/a/v1/traces/v1/traces: set it to https://collector/a,',
    ],
    [
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'http://collector:4318',
      'has no path, and traces are sent to http://collector:4318/: collectors expect them at http://collector:4318/v1/traces',
    ],
    [
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'https://collector?key=secret',
      'has no path, and traces are sent to https://collector/: collectors expect',
    ],
  ])('%s=%s', (name, value, warning) => {
    const { problems, warnings } = read({ [name]: value });
    expect([problems, warnings]).toEqual([[], [expect.stringContaining(`${name}: `)]]);
    expect(warnings[0]).toContain(warning);
    expect(warnings[0]).not.toContain('secret');
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318/'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://collector/otlp'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://collector:4318/v1/traces'],
  ])('not %s=%s', (name, value) => {
    expect(read({ [name]: value })).toMatchObject({ problems: [], warnings: [] });
  });
});

describe('a value that has no effect is a warning:', () => {
  test.each<[string, string, string]>([
    [
      'OTEL_BSP_SCHEDULE_DELAY',
      '100',
      `OTEL_BSP_SCHEDULE_DELAY has no effect (see "Traces" in ${documentationUrl('operate.md')})`,
    ],
    ['OTEL_PROPAGATORS', 'b3', 'OTEL_PROPAGATORS has no effect'],
    ['OTEL_EXPORTER_OTLP_INSECURE', 'true', 'OTEL_EXPORTER_OTLP_INSECURE has no effect (see "Traces"'],
    ['OTEL_EXPORTER_OTLP_HEADER', 'a=b', 'did you mean OTEL_EXPORTER_OTLP_HEADERS?'],
    ['OTEL_TRACES_SAMPLER_ARG', '0.1', 'has no effect with the sampler parentbased_always_on'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a', 'OTEL_RESOURCE_ATTRIBUTES has no effect'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b=c', 'OTEL_RESOURCE_ATTRIBUTES has no effect'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b,c=%', 'OTEL_RESOURCE_ATTRIBUTES has no effect'],
  ])('%s=%s', (name, value, warning) => {
    expect(read({ [name]: value })).toMatchObject({ problems: [], warnings: [expect.stringContaining(warning)] });
  });
});

test('a misspelt endpoint is reported, although there are no traces without it', () => {
  const misspelt = { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_EXPORTER_OTLP_ENDPONT: 'http://127.0.0.1:4318' };
  const warning = 'OTEL_EXPORTER_OTLP_ENDPONT has no effect (did you mean OTEL_EXPORTER_OTLP_ENDPOINT?)';
  expect(read(misspelt)).toEqual({ config: undefined, problems: [], warnings: [warning] });
});

test('what Kubernetes sets for a Service named otel-collector is not reported', () => {
  const links = { OTEL_COLLECTOR_SERVICE_HOST: '10.96.0.9', OTEL_COLLECTOR_PORT_4318_TCP: 'tcp://10.96.0.9:4318' };
  expect(read(links)).toMatchObject({ problems: [], warnings: [] });
});

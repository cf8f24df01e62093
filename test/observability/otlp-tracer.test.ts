import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { diag } from '@opentelemetry/api';
import { afterAll, afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Log } from '../../src/observability/log.ts';
import { createOtlpTracer, type OtlpTracer } from '../../src/observability/tracing/otlp-tracer.ts';

const requests: IncomingMessage[] = [];
const collector = createServer((request, response) => {
  requests.push(request);
  request.resume().on('end', () => response.end());
}).listen(0, '127.0.0.1');

const reasons: string[] = [];
const log: Log = {
  info: () => {},
  warn: (fields) => void reasons.push(String((fields as { reason: unknown }).reason)),
  error: () => {},
};

afterAll(() => void collector.close());
afterEach(() => {
  vi.unstubAllEnvs();
  reasons.length = 0;
});

function openTracer(env: Readonly<Record<string, string>>): OtlpTracer {
  // Safe: it listens on TCP.
  const { port } = collector.address() as AddressInfo;
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, ...env };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  return createOtlpTracer({ protocol: 'http/json', sampler: 'always_on', ratio: 1 }, '0.0.0', log);
}

function traceRequest(tracer: OtlpTracer): void {
  const trace = tracer.start('token', { all: () => [] });
  trace.begin('read_form');
  trace.begin('write_audit_event');
  trace.end({ status: 200 });
}

test('the tracer reports nothing while the collector responds', async () => {
  const tracer = openTracer({});
  for (let count = 0; count < 100; count += 1) traceRequest(tracer);
  await tracer.close();
  expect([requests.length, reasons]).toEqual([1, []]);
});

test('the tracer reports a header that cannot be sent, and closes', async () => {
  const tracer = openTracer({ OTEL_EXPORTER_OTLP_HEADERS: 'a b=c' });
  traceRequest(tracer);
  await tracer.close();
  expect(reasons).toEqual([expect.stringContaining('Header name must be a valid HTTP token')]);
});

test('the tracer reports another problem at once, and the same one again only after a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const tracer = openTracer({});
  for (const problem of ['one', 'one', 'another', 'one']) diag.error(problem);
  expect(reasons).toEqual(['one', 'another']);
  vi.advanceTimersByTime(60_000);
  for (const problem of ['another', 'one', 'one']) diag.error(problem);
  expect(reasons).toEqual(['one', 'another', 'another', 'one']);
  for (let number = 0; number < 1_000; number += 1) diag.error(`number ${number}`);
  expect(reasons).toHaveLength(4 + 18);
  await tracer.close();
});

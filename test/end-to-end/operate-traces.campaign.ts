import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { sendRequest } from '../support/raw-http.ts';

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number };
}

/** What a collector receives: OTLP over HTTP. */
interface Collector {
  readonly url: string;
  /** The bodies in JSON. */
  readonly requests: { readonly path: string; readonly type: string; readonly body: Buffer }[];
  readonly spans: () => readonly ReceivedSpan[];
  readonly server: Server;
}

async function startCollector(): Promise<Collector> {
  const requests: Collector['requests'] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    requests.push({ path: request.url ?? '', type: request.headers['content-type'] ?? '', body });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Safe: it listens on TCP.
  const { port } = server.address() as AddressInfo;
  const spans = () =>
    requests.flatMap(({ body }) =>
      JSON.parse(body.toString()).resourceSpans.flatMap((resource: { scopeSpans: { spans: ReceivedSpan[] }[] }) =>
        resource.scopeSpans.flatMap(({ spans: each }) => each),
      ),
    );
  return { url: `http://127.0.0.1:${port}`, requests, spans, server };
}

const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const certificate = selfSigned();
const clientLine = `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`;
const body = { grant_type: 'client_credentials', client_id: 'a' };

describeWith(['redis-server'], 'traces of OpenTelemetry', () => {
  const startServer = async (env: Readonly<Record<string, string>>): Promise<AuthorizationServer> => {
    const server = await startAuthorizationServer({ env });
    await server.register({
      client_id: 'a',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ pem: certificate.pem }],
      audience: 'https://api.example',
      scope: 'read',
    });
    return server;
  };

  describe('of a request', () => {
    let collector: Collector;
    let spans: readonly ReceivedSpan[];
    let events: readonly Record<string, unknown>[];

    beforeAll(async () => {
      collector = await startCollector();
      const server = await startServer({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      });
      const traceparent = `traceparent: 00-${parent.traceId}-${parent.spanId}-01`;
      await sendRequest(server.url, { body, lines: [clientLine, traceparent] });
      await sendRequest(server.url, {
        body,
        lines: [clientLine, `traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`],
      });
      await sendRequest(server.url, { body });
      // The exporter is flushed when the server stops.
      await server.stop();
      events = server.countersign.auditEvents();
      spans = collector.spans();
    });
    afterAll(() => void collector.server.close());

    test('continue the trace of the caller, with a span for each step in its order', () => {
      const [root] = spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
      expect(root).toMatchObject({ name: 'token', kind: 2, traceId: parent.traceId });
      const steps = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
      const inOrder = steps.toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
      expect(inOrder.map(({ name }) => name)).toEqual([
        'read_form',
        'read_certificate',
        'find_client',
        'validate_path',
        'authenticate_client',
        'authorize',
        'sign_token',
        'write_audit_event',
      ]);
      for (const { startTimeUnixNano, endTimeUnixNano } of steps) {
        expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
      }
      expect(attributesOf(root)).toMatchObject({ 'http.response.status_code': { intValue: 200 } });
    });

    test('are in the audit log by their id, also if the caller has none', () => {
      expect(events.map(({ trace_id: id }) => id)).toEqual([
        parent.traceId,
        'a'.repeat(32),
        expect.stringMatching(/^[0-9a-f]{32}$/),
      ]);
      expect(spans.some(({ traceId }) => traceId === events[2]?.trace_id)).toBe(true);
    });

    test('follow the sampling decision of the caller', () => {
      expect(spans.filter(({ traceId }) => traceId === 'a'.repeat(32))).toEqual([]);
    });

    test('have the reason code of a rejection, which is not an error of the server', () => {
      const root = spans.find(({ traceId, name }) => traceId === events[2]?.trace_id && name === 'token');
      expect(attributesOf(root)).toMatchObject({
        'http.response.status_code': { intValue: 400 },
        'countersign.code': { stringValue: events[2]?.code },
      });
      expect(root?.status.code ?? 0).toBe(0);
    });

    test('contain no token and no certificate', () => {
      const sent = JSON.stringify(spans);
      expect(sent).not.toMatch(/eyJ|BEGIN|MII/);
    });
  });

  test('are sent as protobuf by default, to the path that the specification defines', async () => {
    const collector = await startCollector();
    const server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await sendRequest(server.url, { body, lines: [clientLine] });
    await server.stop();
    collector.server.close();
    expect(collector.requests.map(({ path, type }) => [path, type])).toEqual([
      ['/v1/traces', 'application/x-protobuf'],
    ]);
  });

  test('that cannot be exported are reported, and every client gets its token', async () => {
    const server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    const response = await sendRequest(server.url, { body, lines: [clientLine] });
    expect(response.status).toBe(200);
    await server.stop();
    expect(await server.countersign.exited).toBe(0);
    expect(server.countersign.lines.filter(({ event }) => event === 'trace_export_failed')).toHaveLength(1);
  });

  test('with invalid variables prevent the start, which names each', async () => {
    const { code, stderr } = await runCountersign(['serve'], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_TRACES_SAMPLER: 'sometimes',
        OTEL_TRACES_SAMPLER_ARG: '2',
      },
    });
    expect(code).toBe(2);
    expect(stderr.split('\n').filter((line) => line.includes('OTEL_'))).toEqual([
      expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" is not an http or https URL'),
      expect.stringContaining('OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not supported: use http/protobuf, http/json'),
      expect.stringContaining('OTEL_TRACES_SAMPLER: "sometimes" is not supported: use '),
      expect.stringContaining('OTEL_TRACES_SAMPLER_ARG: "2" is not a number from 0 to 1'),
    ]);
  });
});

function attributesOf(span: ReceivedSpan | undefined): Record<string, object> {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, value]));
}

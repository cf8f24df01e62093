import { connect as connectHttp2Session, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, edgeRequestBytes, startEdgeDeployment } from '../support/edge-deployment.ts';
import { apiHost } from '../support/edge-proxies.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { connectHttp2 } from '../support/http2-request.ts';
import { openTls } from '../support/open-connection.ts';

/** One more route than the shipped file has, without a rule. */
const unruledRoute = [
  '              - match: { prefix: /reports/ }',
  '              - { match: { prefix: /unruled/ }, route: *api }\n              - match: { prefix: /reports/ }',
] as const;

describeWith(['envoy'], 'the shipped Envoy at the edge', () => {
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    deployment = await startEdgeDeployment({ proxy: 'envoy', replace: [unruledRoute] });
  });
  afterAll(() => deployment?.stop());

  const alpha = () => deployment.certificateOf('alpha');

  test('denies a route without a rule of its own, and the log names the cause', async () => {
    const { response, received } = await deployment.exchange({ path: '/unruled/' }, alpha());
    expect([response.status, received]).toEqual([403, []]);
    const event = await deployment.countersign.waitForEvent(({ error }) => error === 'unknown_route');
    expect(event.reason).toMatch('does not start with /edge/{mint|verify|either}/');
  });

  test('serves no other path', async () => {
    const { response, received } = await deployment.exchange({ path: '/other/' }, alpha());
    expect([response.status, received]).toEqual([404, []]);
  });

  test('serves no other host, whatever the handshake', async () => {
    const bytes = Buffer.from('GET /orders/ HTTP/1.1\r\nHost: other.example\r\n\r\n');
    const { response, received } = await deployment.exchange(bytes, alpha());
    expect([response.status, received]).toEqual([421, []]);
  });

  test('tells the client why it is denied', async () => {
    const { response } = await deployment.exchange({ path: '/orders/' });
    expect(response.json()).toEqual({ error: 'invalid_client' });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-countersign-error': 'invalid_client',
    });
  });

  test('denies a request that another proxy received as early data', async () => {
    const { response, received } = await deployment.exchange({ path: '/orders/', lines: ['Early-Data: 1'] }, alpha());
    expect([response.status, received]).toEqual([401, []]);
  });

  test('denies gRPC with a status of gRPC', async () => {
    const connection = await connectHttp2(`https://127.0.0.1:${deployment.port}`, deployment.tlsOf());
    const fields = { 'content-type': 'application/grpc' };
    const response = await connection.send({ authority: apiHost, path: '/orders/', body: '', fields });
    connection.close();
    const unauthenticated = '16';
    expect(response.headers.get('grpc-status')).toBe(unauthenticated);
  });

  test.each([
    ['checks a WebSocket over HTTP/2', undefined, 401],
    ['passes on a WebSocket over HTTP/2', 'alpha', 200],
  ])('%s', async (_title, client, status) => {
    const identity = client === undefined ? undefined : deployment.certificateOf(client);
    const seen = deployment.upstream.requests.length;
    const { stream, close } = await openWebSocket(deployment, identity);
    const head = await new Promise<Record<string, unknown>>((resolve) => void stream.once('response', resolve));
    expect(head[':status']).toBe(status);
    const received = deployment.upstream.requests.slice(seen);
    if (status === 200) {
      const echoed = new Promise((resolve) => void stream.once('data', resolve));
      stream.write('a frame');
      expect(String(await echoed)).toBe('a frame');
      expect(received).toMatchObject([{ method: 'GET', target: '/orders/socket' }]);
    } else expect(received).toEqual([]);
    close();
  });
});

describeWith(['envoy'], 'the shipped Envoy with an edge that requires a secret', () => {
  const secret = 's'.repeat(64);
  const start = async (replace: readonly (readonly [string, string])[]) => {
    const listen = `127.0.0.1:${await freePort()}`;
    const env = { COUNTERSIGN_EDGE_LISTEN: listen, COUNTERSIGN_PROXY_SECRET: secret };
    return startEdgeDeployment({ proxy: 'envoy', env, edge: `http://${listen}`, replace });
  };

  test('sends it to the edge only, and replaces that of a client', async () => {
    const deployment = await start([['# - { key: x-countersign-proxy-secret, value: "..." }', secretOf(secret)]]);
    const lines = ['X-Countersign-Proxy-Secret: guessed'];
    const { response, received } = await deployment.exchange(
      { path: '/orders/', lines },
      deployment.certificateOf('alpha'),
    );
    await deployment.stop();
    expect([response.status, received.length]).toEqual([200, 1]);
    expect(JSON.stringify([received, [...response.headers]])).not.toMatch(/guessed|ssss/);
  });

  test('is denied without it, even if the client sends it', async () => {
    const deployment = await start([]);
    const request = { path: '/orders/', lines: [`X-Countersign-Proxy-Secret: ${secret}`] };
    const { response, received } = await deployment.exchange(request, deployment.certificateOf('alpha'));
    await deployment.stop();
    expect([response.status, received]).toEqual([401, []]);
  });
});

const secretOf = (secret: string) => `- { key: x-countersign-proxy-secret, value: "${secret}" }`;

describeWith(['envoy'], 'the shipped Envoy with a slow edge', () => {
  let standIn: EdgeStandIn;
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    standIn = await startEdgeStandIn();
    deployment = await startEdgeDeployment({ proxy: 'envoy', edge: standIn.url });
  });
  afterAll(async () => {
    await deployment?.stop();
    await standIn?.stop();
  });

  /** Some versions of Envoy that have clients for each route cancel the wrong one. */
  test('survives a client that leaves during the check', async () => {
    let checks = 0;
    standIn.respond = () => {
      checks += 1;
    };
    const identity = deployment.certificateOf('alpha');
    const { socket } = await openTls(`https://127.0.0.1:${deployment.port}`, deployment.tlsOf(identity));
    socket.write(edgeRequestBytes({ path: '/orders/' }));
    await eventually(
      () => checks === 1,
      () => 'no check',
    );
    socket.destroy();
    standIn.respond = (_, response) => response.writeHead(200, { 'content-length': 0 }).end();
    const { response, received } = await deployment.exchange({ path: '/orders/' }, identity);
    expect([response.status, received.length]).toEqual([200, 1]);
  });

  test('sends the edge the resource of the route, the certificate and the token, and no other header', async () => {
    let check: readonly [string | undefined, readonly string[]] | undefined;
    standIn.respond = ({ url, headers }, response) => {
      check = [url, Object.keys(headers).sort()];
      response.writeHead(200, { 'content-length': 0 }).end();
    };
    const lines = ['Authorization: Bearer abc', 'Cookie: a=b', 'X-Forwarded-Host: evil.example', 'Content-Length: 3'];
    const request = { method: 'POST', path: '/reports/../orders/x?y=z', lines, body: 'abc' };
    await deployment.send(request, deployment.certificateOf('alpha'));
    const fields = ['authorization', 'content-length', 'host', 'x-forwarded-client-cert'];
    expect(check).toEqual(['/edge/mint/orders', [...fields, ...addedByEnvoy].sort()]);
  });
});

/** To every request that it sends itself. They are Envoy's own, not the client's. */
const addedByEnvoy = ['x-envoy-expected-rq-timeout-ms', 'x-envoy-internal'];

/** The cluster of an API with HTTP/2 without TLS, and the routes to it. */
const http2Api = (port: number) => [
  ['{ cluster: api,', '{ cluster: http2-api,'] as const,
  [
    '  clusters:\n',
    [
      '  clusters:',
      '  - name: http2-api',
      '    type: STATIC',
      '    typed_extension_protocol_options:',
      '      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:',
      '        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      '        explicit_http_config: { http2_protocol_options: {} }',
      '    load_assignment:',
      '      cluster_name: http2-api',
      '      endpoints:',
      `      - lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } } }]`,
      '',
    ].join('\n'),
  ] as const,
];

describeWith(['envoy'], 'the shipped Envoy before an API with HTTP/2', () => {
  const trailers: (readonly string[])[] = [];
  const api = createServer();
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    api.on('stream', (stream: ServerHttp2Stream) => {
      let names: string[] = [];
      stream.on('trailers', (fields) => {
        names = Object.keys(fields);
      });
      stream.resume().once('end', () => {
        trailers.push(names);
        stream.respond({ ':status': 200 }, { endStream: true });
      });
    });
    await new Promise<void>((resolve) => void api.listen(0, '127.0.0.1', resolve));
    const { port } = api.address() as AddressInfo; // Safe: the server listens on TCP.
    deployment = await startEdgeDeployment({ proxy: 'envoy', replace: http2Api(port) });
  });
  afterAll(async () => {
    await deployment?.stop();
    await new Promise((resolve) => void api.close(resolve));
  });

  test('forwards the trailers of a request, without those that resemble an identity', async () => {
    const identity = deployment.certificateOf('alpha');
    const connection = await connectHttp2(`https://127.0.0.1:${deployment.port}`, deployment.tlsOf(identity));
    const forged = ['authorization', 'x-countersign-scope', 'x.countersign.scope', 'x-forwarded-client-cert'];
    const sent = Object.fromEntries([...forged, 'checksum'].map((field) => [field, 'a']));
    const response = await connection.send({ authority: apiHost, path: '/orders/', body: 'a', trailers: sent });
    connection.close();
    expect([response.status, trailers]).toEqual([200, [['checksum']]]);
  });
});

/** RFC 8441. */
async function openWebSocket(deployment: EdgeDeployment, identity?: ReturnType<EdgeDeployment['certificateOf']>) {
  const url = `https://127.0.0.1:${deployment.port}`;
  const session = connectHttp2Session(url, deployment.tlsOf(identity));
  await new Promise((resolve, reject) => void session.once('remoteSettings', resolve).once('error', reject));
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':authority': apiHost,
      ':path': '/orders/socket',
      'sec-websocket-version': '13',
    },
    { endStream: false },
  );
  stream.on('error', () => {});
  return { stream, close: () => session.destroy() };
}

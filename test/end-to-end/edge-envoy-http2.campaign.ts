import { connect as connectHttp2Session, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { apiHost } from '../support/edge-proxies.ts';
import { connectHttp2 } from '../support/http2-request.ts';

describeWith(['envoy'], 'over HTTP/2, the shipped Envoy at the edge', () => {
  let deployment: EdgeDeployment;
  beforeAll(async () => {
    deployment = await startEdgeDeployment({ proxy: 'envoy' });
  });
  afterAll(() => deployment?.stop());

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

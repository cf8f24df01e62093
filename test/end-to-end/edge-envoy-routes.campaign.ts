import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import {
  type EdgeDeployment,
  type EdgeExchange,
  edgeRequestBytes,
  startEdgeDeployment,
} from '../support/edge-deployment.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
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

  test('returns the code of a denial to the client, as JSON', async () => {
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
});

describeWith(['envoy'], 'the shipped Envoy with an edge that requires a secret', () => {
  const secret = 's'.repeat(64);
  let deployment: EdgeDeployment | undefined;
  afterEach(() => deployment?.stop());

  async function exchangeWith(replace: readonly (readonly [string, string])[], sent: string): Promise<EdgeExchange> {
    const listen = `127.0.0.1:${await freePort()}`;
    const env = { COUNTERSIGN_EDGE_LISTEN: listen, COUNTERSIGN_PROXY_SECRET: secret };
    deployment = await startEdgeDeployment({ proxy: 'envoy', env, edge: `http://${listen}`, replace });
    const request = { path: '/orders/', lines: [`X-Countersign-Proxy-Secret: ${sent}`] };
    return deployment.exchange(request, deployment.certificateOf('alpha'));
  }

  test('sends it to the edge only, in place of that of a client', async () => {
    const line = '- { key: x-countersign-proxy-secret, value: "..." }';
    const { response, received } = await exchangeWith([[`# ${line}`, line.replace('...', secret)]], 'guessed');
    expect([response.status, received.length]).toEqual([200, 1]);
    expect(JSON.stringify([received, [...response.headers]])).not.toMatch(/guessed|ssss/);
  });

  test('does not forward the secret that a client knows', async () => {
    const { response, received } = await exchangeWith([], secret);
    expect([response.status, received]).toEqual([401, []]);
  });
});

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

  test('sends the edge the resource of the route, the certificate, the token, the id and the address of the request, and no other header', async () => {
    let check: readonly [string | undefined, readonly string[]] | undefined;
    standIn.respond = ({ url, headers }, response) => {
      check = [url, Object.keys(headers).sort()];
      response.writeHead(200, { 'content-length': 0 }).end();
    };
    const lines = ['Authorization: Bearer abc', 'Cookie: a=b', 'X-Forwarded-Host: evil.example', 'Content-Length: 3'];
    const request = { method: 'POST', path: '/reports/../orders/x?y=z', lines, body: 'abc' };
    await deployment.send(request, deployment.certificateOf('alpha'));
    const fields = ['authorization', 'content-length', 'host', 'x-forwarded-client-cert', ...contextFields];
    expect(check).toEqual(['/edge/mint/orders', [...fields, ...addedByEnvoy].sort()]);
  });
});

/** What identifies the request in the logs: Envoy's own values, not the client's. */
const contextFields = ['x-forwarded-for', 'x-request-id'];
/** To every request that it sends itself. They are Envoy's own, not the client's. */
const addedByEnvoy = ['x-envoy-expected-rq-timeout-ms', 'x-envoy-internal'];

import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RunningCountersign, startCountersign } from './countersign.ts';
import { describeWith } from './describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from './edge-deployment.ts';
import { type EdgeProxy, type EdgeProxyName, edgeProxies } from './edge-proxies.ts';
import { edgeRecords } from './edge-records.ts';
import { type EdgeStandIn, startEdgeStandIn } from './edge-stand-in.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { programPath } from './program-path.ts';
import { type RunningRedis, startRedis } from './redis-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Responses that are not those of the edge. None of them grants access. */
const unexpected: readonly (readonly [title: string, RequestListener])[] = [
  ...[302, 400, 404, 407, 418, 429, 431, 500, 502, 504].map((status): [string, RequestListener] => [
    `a response with ${status}`,
    (_, response) => response.writeHead(status, { location: 'https://evil.example/' }).end('a body'),
  ]),
  ['a closed connection', (request) => request.socket.destroy()],
  ['bytes that are not HTTP', (request) => request.socket.end('nonsense\r\n\r\n')],
  ['half a header', (request) => request.socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
  ['no response', () => {}],
  [
    'a header that is too large',
    (_, response) => response.writeHead(200, { 'x-countersign-scope': 'a'.repeat(300_000) }).end(),
  ],
];

/** No request gets through a proxy while the edge does not respond, and each does again as soon as it does. */
export function describeEdgeOutages(name: EdgeProxyName): void {
  const { program, copiesLocation = false }: EdgeProxy = edgeProxies[name];

  describeWith([program], `without a response of the edge, ${name}`, () => {
    let deployment: EdgeDeployment;
    let countersign: RunningCountersign;
    beforeAll(async () => {
      deployment = await startEdgeDeployment({ proxy: name });
      countersign = deployment.countersign;
    });
    afterAll(async () => {
      await deployment?.stop();
      await countersign?.stop();
    });

    test('denies requests with 503 while the server is down, and recovers', async () => {
      await expectAllowed(deployment);
      countersign.kill('SIGKILL');
      await countersign.exited;
      await expectUnavailable(deployment);
      countersign = await startCountersign({ env: deployment.environment });
      await expectRecovery(deployment);
    });

    test('denies requests with 503 while the server hangs, and recovers', async () => {
      await expectAllowed(deployment);
      countersign.kill('SIGSTOP');
      await expectUnavailable(deployment).finally(() => countersign.kill('SIGCONT'));
      await expectRecovery(deployment);
    });
  });

  describeWith([program], `with an unexpected response of the edge, ${name}`, () => {
    let standIn: EdgeStandIn;
    let deployment: EdgeDeployment;
    beforeAll(async () => {
      standIn = await startEdgeStandIn();
      deployment = await startEdgeDeployment({ proxy: name, edge: standIn.url });
    });
    afterAll(async () => {
      await deployment?.stop();
      await standIn?.stop();
    });

    test.each(unexpected)('denies a request after %s', async (_title, respond) => {
      standIn.respond = respond;
      const { response, received } = await deployment.exchange({ path: '/orders/' }, deployment.certificateOf('alpha'));
      expect(received).toEqual([]);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.headers.has('authorization')).toBe(false);
      if (copiesLocation) expect(response.status).toBe(503);
      else expect(response.headers.has('location')).toBe(false);
      standIn.respond = (_, approval) => approval.writeHead(200, { 'content-length': 0 }).end();
      await expectRecovery(deployment);
    });
  });

  describeWith([program, 'redis-server'], `without Redis, the edge behind ${name}`, () => {
    let redis: RunningRedis;
    let deployment: EdgeDeployment;
    const start = async (port: number) =>
      startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), port });
    beforeAll(async () => {
      redis = await start(await freePort());
      deployment = await startEdgeDeployment({ proxy: name, redisUrl: redis.url });
    });
    afterEach(async () => {
      await redis?.stop();
    });
    afterAll(() => deployment?.stop());

    test('admits known clients, denies others with 503, and recovers', async () => {
      // A server that has just started on a busy machine may not have reached Redis yet.
      await expectRecovery(deployment);
      await redis.stop();
      await expectAllowed(deployment);
      await eventually(
        async () => (await tryAs(deployment, 'beta')).status === 503,
        () => 'not denied',
      );
      const denied = await tryAs(deployment, 'beta');
      expect([denied.status, denied.received]).toEqual([503, 0]);
      expect(denied.retryAfter).toMatch(/^[1-9]\d*$/);
      redis = await start(redis.port);
      await deployment.apply(edgeRecords);
      await expectRecovery(deployment, 'beta');
    });
  });
}

async function tryAs(deployment: EdgeDeployment, client: string) {
  const { response, received } = await deployment.exchange({ path: '/orders/' }, deployment.certificateOf(client));
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, retryAfter, received: received.length };
}

async function expectAllowed(deployment: EdgeDeployment): Promise<void> {
  expect(await tryAs(deployment, 'alpha')).toMatchObject({ status: 200, received: 1 });
}

/** More than once: on the connection that was open before, and on new ones. */
async function expectUnavailable(deployment: EdgeDeployment): Promise<void> {
  for (let request = 0; request < 3; request += 1) {
    expect(await tryAs(deployment, 'alpha')).toMatchObject({ status: 503, received: 0 });
  }
}

async function expectRecovery(deployment: EdgeDeployment, client = 'alpha'): Promise<void> {
  const isAllowed = async () => (await tryAs(deployment, client)).status === 200;
  await eventually(isAllowed, () => 'requests are still denied', 15_000);
}

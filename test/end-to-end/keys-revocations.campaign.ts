import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { edgeRecords } from '../support/edge-records.ts';
import { eventually } from '../support/eventually.ts';
import { expectWithin } from '../support/expect-within.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { exact } from '../support/forged-headers.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { connectRedis } from '../support/redis.ts';
import { type RedisNode, startRedisNode } from '../support/redis-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const AUDIENCE = 'https://reports.example';
const TOKENS = 150;
/** Revoked at the same time. */
const CONCURRENT = 10;

/** A replica: its edge, and where it serves clients. */
interface Replica {
  readonly edge: string;
  readonly url: string;
}

describeWith(['nginx', 'redis-server'], 'three replicas behind nginx', () => {
  const directory = temporaryDirectory();
  let redis: RedisNode;
  let proxy: FaultProxy;
  let deployment: EdgeDeployment;
  let others: readonly RunningCountersign[];
  let replicas: readonly Replica[];

  beforeAll(async () => {
    redis = await startRedisNode({ program: programPath('redis-server'), directory });
    proxy = await startFaultProxy({ target: { port: redis.port } });
    const env = { COUNTERSIGN_REDIS_TIMEOUT: '200ms', COUNTERSIGN_CLIENT_CACHE_MAX_AGE: '10m' };
    deployment = await startEdgeDeployment({ proxy: 'nginx', redisUrl: proxy.url, env });
    const startReplica = (name: string) =>
      startCountersign({
        env: {
          ...deployment.environment,
          COUNTERSIGN_LISTEN: '127.0.0.1:0',
          COUNTERSIGN_EDGE_LISTEN: `unix:${join(directory, name)}`,
        },
      });
    others = await Promise.all(['two', 'three'].map(startReplica));
    replicas = [
      { edge: deployment.edge, url: deployment.countersign.url },
      { edge: `unix:${join(directory, 'two')}`, url: others[0]?.url ?? '' },
      { edge: `unix:${join(directory, 'three')}`, url: others[1]?.url ?? '' },
    ];
  });
  afterAll(async () => {
    await Promise.all((others ?? []).map((replica) => replica.stop()));
    await deployment?.stop();
    await proxy?.stop();
    await redis?.stop();
  });

  const newToken = () => deployment.requestToken('alpha', AUDIENCE);

  /** The status of a request with this token at the edge of a replica. */
  async function verify({ edge }: Replica, token: string): Promise<number> {
    const lines = [...exact(deployment.certificateOf('alpha')), `Authorization: Bearer ${token}`];
    return (await sendRequest(edge, { method: 'GET', path: '/edge/verify/reports', lines })).status;
  }

  const verifyEverywhere = (token: string) => Promise.all(replicas.map((replica) => verify(replica, token)));

  async function revoke({ url }: Replica, token: string): Promise<number> {
    const body = { client_id: 'alpha', token };
    return (await sendRequest(url, { path: '/revoke', lines: exact(deployment.certificateOf('alpha')), body })).status;
  }

  const untilRevokedEverywhere = (token: string, milliseconds?: number) =>
    eventually(
      async () => (await verifyEverywhere(token)).every((status) => status === 401),
      () => 'the token is not rejected everywhere',
      milliseconds,
    );

  /** A replica that does not reach Redis in the short time that it has, as when it is suspended meanwhile, responds with 503. */
  const untilRevocable = async (token: string, among: readonly Replica[]) => {
    for (const replica of among) {
      let status = 0;
      await eventually(
        async () => {
          status = await revoke(replica, token);
          return status === 200;
        },
        () => `the revocation is not stored: ${status}`,
      );
    }
  };

  test(`reject each of ${TOKENS} revoked tokens within a second, in 99 % of cases`, async () => {
    await expectWithin(1_000, async () => {
      const delays: number[] = [];
      for (let round = 0; round < TOKENS / CONCURRENT; round += 1) {
        const tokens = await Promise.all(Array.from({ length: CONCURRENT }, newToken));
        for (const token of tokens) expect(await verifyEverywhere(token)).toEqual([200, 200, 200]);
        const measure = async (token: string, index: number) => {
          const start = performance.now();
          await untilRevocable(token, [replicas[(round + index) % 3] as Replica]); // There are three.
          await untilRevokedEverywhere(token);
          return performance.now() - start;
        };
        delays.push(...(await Promise.all(tokens.map(measure))));
      }
      const sorted = delays.toSorted((one, other) => one - other);
      const percentile = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
      const figures = [0.5, 0.99, 1].map((share) => Math.round(percentile(share)));
      console.log(`revoked at ${replicas.length} replicas: p50, p99 and maximum in ms: ${figures.join(', ')}`);
      return percentile(0.99);
    });
  });

  /** What happens to Redis, and what ends it. */
  const outages: readonly (readonly [title: string, begin: () => Promise<unknown>, end: () => Promise<unknown>])[] = [
    [
      'restarted without data',
      async () => redis.kill('SIGKILL'),
      async () => {
        await redis.restart();
        // As after any loss, the files are applied again.
        await deployment.apply(edgeRecords);
      },
    ],
    [
      'flushed',
      async () => {
        const { client, close } = connectRedis(`redis://127.0.0.1:${redis.port}`);
        await client.flushall();
        await close();
      },
      () => deployment.apply(edgeRecords),
    ],
    ['silently cut off', async () => proxy.stopForwarding(), () => proxy.resume()],
    ['refusing connections', () => proxy.refuse(), () => proxy.resume()],
  ];

  test.each(outages)(
    'reject revoked tokens while Redis is %s, accept others, and learn of new ones',
    async (...row) => {
      const [, begin, end] = row;
      const [revoked, other] = [await newToken(), await newToken()];
      expect(await verifyEverywhere(other)).toEqual([200, 200, 200]);
      await untilRevocable(revoked, replicas.slice(0, 1));
      await untilRevokedEverywhere(revoked);
      await begin();
      const until = performance.now() + 3_000;
      while (performance.now() < until) {
        expect(await verifyEverywhere(revoked)).toEqual([401, 401, 401]);
        expect(await verifyEverywhere(other)).toEqual([200, 200, 200]);
      }
      await end();
      await untilRevocable(other, replicas);
      await untilRevokedEverywhere(other);
      expect(await verifyEverywhere(revoked)).toEqual([401, 401, 401]);
    },
  );
});

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/connection.ts';
import { explainProblem } from '../../src/redis/explain.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { redisUrl } from '../support/redis.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function connect(url: string, isBulk = true) {
  const options = { tls: {}, commandTimeoutMilliseconds: 10_000, isBulk, onStatusChange: () => {} };
  return openRedis({ address: parseRedisUrl(url), ...options });
}

async function open(url: string, isBulk: boolean) {
  const connection = await connect(url, isBulk);
  onTestFinished(() => connection.close());
  return connection.redis;
}

async function failures(asked: readonly Promise<unknown>[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(asked);
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? explainProblem(outcome.reason) : 'answered'));
}

describeWith(['redis-server'], 'what is under way when a connection ends', () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await startFaultProxy({ target: { port: Number(new URL(redisUrl()).port) } });
  });
  afterAll(() => proxy?.stop());

  test.each([
    ['in bulk', true],
    ['one by one', false],
  ])('fails at once although a new connection is there soon, %s', async (_, isBulk) => {
    const redis = await open(proxy.url, isBulk);
    proxy.stopForwarding();
    const asked = Array.from({ length: 20 }, (_, index) => redis.get(`key-${index}`));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const later = redis.get('key');
    await proxy.resume();
    const start = performance.now();
    proxy.destroyAll();
    expect(new Set(await failures([...asked, later]))).toEqual(new Set(['the connection was lost']));
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describeWith(['redis-server'], 'a Cluster that dies', () => {
  test('fails what is under way in bulk, and what is asked after that', { timeout: 30_000 }, async () => {
    const cluster = await startClusterDeployment({ directory: temporaryDirectory() });
    onTestFinished(() => cluster.stop());
    const redis = await open(`redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}`, true);
    await redis.get('key');
    for (const node of cluster.nodes) node.kill('SIGSTOP');
    const asked = Array.from({ length: 20 }, (_, index) => redis.get(`key-${index}`));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    for (const node of cluster.nodes) node.kill('SIGKILL');
    expect(new Set(await failures(asked))).toEqual(new Set(['the connection was lost']));
    for (let times = 0; times < 10; times++) {
      const expected = times < 1 ? expect.any(String) : 'the connection was lost';
      expect(await failures([redis.get('key'), redis.get('other')])).toEqual([expected, expected]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

describeWith(['redis-server'], 'a connection that ioredis has given up', () => {
  test('is made again, until it is closed', async () => {
    const connection = await connect(redisUrl(), false);
    const { redis } = connection;
    redis.disconnect();
    await eventually(
      () => redis.status === 'end',
      () => redis.status,
    );
    await eventually(
      () => redis.status === 'ready',
      () => `it stays ${redis.status}`,
      3_000,
    );
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(redis.status).toBe('end');
  });
});

describeWith(['redis-server'], 'why there is no connection', () => {
  const problemAt = async (url: string) => {
    const connection = await connect(url);
    connection.close();
    return connection.problem;
  };

  test.each([
    ['redis+sentinel', '/master', 'no sentinel can be reached'],
    ['redis+cluster', '', 'no node can be reached'],
  ])('is said of each node of %s', async (scheme, path, explanation) => {
    const [down, other] = [await freePort(), await listenFor((socket) => socket.end())];
    const nodes = `127.0.0.1:${down},nobody.invalid:6379,127.0.0.1:${other}`;
    const problem = await problemAt(`${scheme}://${nodes}${path}`);
    expect(problem?.split('; ')).toEqual([
      `${explanation}: connect ECONNREFUSED 127.0.0.1:${down}`,
      expect.stringMatching(/^nobody\.invalid:6379: getaddrinfo (?:ENOTFOUND|EAI_AGAIN) nobody\.invalid$/),
      `127.0.0.1:${other}: it closes the connection (a server that speaks TLS only does this to redis://, try rediss://)`,
    ]);
  });

  test.each([
    ['is silent', () => {}, 'it takes connections and does not answer'],
    ['ends every connection', (socket: Socket) => socket.end(), /^it closes the connection .*try rediss:/],
    [
      'speaks HTTP',
      (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /^what answers there is no Redis$/,
    ],
    ['greets', (socket: Socket) => socket.write('SSH-2.0-Other\r\n'), /^what answers there is no Redis$/],
    [
      'answers with an alert of TLS',
      (socket: Socket) => socket.write(Buffer.from([21, 3, 3, 0, 2, 2, 22])),
      /try rediss:/,
    ],
  ])('is said of a server that %s', async (_, answer, problem) => {
    expect(await problemAt(`redis://127.0.0.1:${await listenFor(answer)}`)).toMatch(problem);
  });

  test('is said of a server that does not speak TLS, and says so at once', async () => {
    const port = await listenFor((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await problemAt(`rediss://127.0.0.1:${port}`)).toMatch(/^wrong version number \(.*try redis:\/\/\)$/);
  });
});

/** The port of a server that does this to every connection. */
async function listenFor(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => answer(socket.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // It listens on TCP.
  return (server.address() as AddressInfo).port;
}

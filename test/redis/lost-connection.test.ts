import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
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

const COMMAND_TIMEOUT_MILLISECONDS = 10_000;

function connect(url: string, isBulk = true) {
  const options = {
    tls: {},
    commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS,
    isBulk,
    onStatusChange: () => {},
  };
  return openRedis({ address: parseRedisUrl(url), ...options });
}

async function open(url: string, isBulk: boolean) {
  const connection = await connect(url, isBulk);
  onTestFinished(() => connection.close());
  return connection.redis;
}

async function problemsOf(commands: readonly Promise<unknown>[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(commands);
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? explainProblem(outcome.reason) : 'succeeded'));
}

describeWith(['redis-server'], 'commands in flight when a connection ends', () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await startFaultProxy({ target: { port: Number(new URL(redisUrl()).port) } });
  });
  afterAll(() => proxy?.stop());

  test.each([
    ['bulk', true],
    ['not bulk', false],
  ])('fail before the connection is made again (%s)', async (_, isBulk) => {
    const redis = await open(proxy.url, isBulk);
    proxy.stopForwarding();
    const inFlight = Array.from({ length: 20 }, (_, index) => redis.get(`key-${index}`));
    await delay(50);
    const later = redis.get('key');
    await proxy.resume();
    let isReadyAgain = false;
    redis.once('ready', () => {
      isReadyAgain = true;
    });
    proxy.destroyAll();
    expect(new Set(await problemsOf([...inFlight, later]))).toEqual(new Set(['connection lost']));
    expect(isReadyAgain).toBe(false);
  });
});

describeWith(['redis-server'], 'bulk commands to a Cluster whose nodes are killed', () => {
  test('fail at once, and so do later ones', async () => {
    const cluster = await startClusterDeployment({ directory: temporaryDirectory() });
    onTestFinished(() => cluster.stop());
    const redis = await open(`redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}`, true);
    await redis.get('key');
    for (const node of cluster.nodes) node.kill('SIGSTOP');
    const inFlight = Array.from({ length: 20 }, (_, index) => redis.get(`key-${index}`));
    await delay(50);
    const start = performance.now();
    for (const node of cluster.nodes) node.kill('SIGKILL');
    expect(new Set(await problemsOf(inFlight))).toEqual(new Set(['connection lost']));
    for (let times = 0; times < 10; times++) {
      const expected = times < 1 ? expect.any(String) : 'connection lost';
      expect(await problemsOf([redis.get('key'), redis.get('other')])).toEqual([expected, expected]);
      await delay(50);
    }
    // None of them waited for its timeout.
    expect(performance.now() - start).toBeLessThan(COMMAND_TIMEOUT_MILLISECONDS);
  });
});

describeWith(['redis-server'], 'a connection that ioredis has ended', () => {
  test('is made again unless it was closed', async () => {
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
    await delay(1_200);
    expect(redis.status).toBe('end');
  });
});

describeWith(['redis-server'], 'the problem of a connection', () => {
  /** On a busy machine the first attempt may time out before its problem is known, which is reported later then. */
  const expectProblem = async (url: string, problem: RegExp) => {
    const connection = await connect(url);
    onTestFinished(() => connection.close());
    await eventually(
      () => problem.test(connection.problem ?? ''),
      () => `expected ${problem}, received ${connection.problem}`,
    );
  };

  test.each([
    ['redis+sentinel', '/master', 'no sentinel is reachable'],
    ['redis+cluster', '', 'no cluster node is reachable'],
  ])('includes the problem of each node of %s when none is reachable', async (scheme, path, explanation) => {
    const [down, other] = [await freePort(), await listenFor((socket) => socket.end())];
    const nodes = `127.0.0.1:${down},unknown.invalid:6379,127.0.0.1:${other}`;
    const problems = [
      `${explanation}: connect ECONNREFUSED 127\\.0\\.0\\.1:${down}`,
      'unknown\\.invalid:6379: getaddrinfo (?:ENOTFOUND|EAI_AGAIN) unknown\\.invalid',
      `127\\.0\\.0\\.1:${other}: the server closed the connection \\(typical of a server that requires TLS: try rediss://\\)`,
    ];
    await expectProblem(`${scheme}://${nodes}${path}`, new RegExp(`^${problems.join('; ')}$`));
  });

  test.each([
    ['does not respond', () => {}, /^the server accepts connections but does not respond$/],
    ['closes every connection', (socket: Socket) => socket.end(), /^the server closed the connection .*try rediss:/],
    ['speaks HTTP', (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /^not a Redis server$/],
    ['sends an SSH banner', (socket: Socket) => socket.write('SSH-2.0-Other\r\n'), /^not a Redis server$/],
    ['sends a TLS alert', (socket: Socket) => socket.write(Buffer.from([21, 3, 3, 0, 2, 2, 22])), /try rediss:/],
  ])('is explained for a server that %s', async (_, respond, problem) => {
    await expectProblem(`redis://127.0.0.1:${await listenFor(respond)}`, problem);
  });

  test('is explained for a server that replies in plain text to a TLS handshake', async () => {
    const port = await listenFor((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expectProblem(`rediss://127.0.0.1:${port}`, /^wrong version number \(.*: try redis:\/\/\)$/);
  });
});

/** Starts a server that does this to every connection, and returns its port. */
async function listenFor(respond: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => respond(socket.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // Not a string, since it listens on TCP.
  return (server.address() as AddressInfo).port;
}

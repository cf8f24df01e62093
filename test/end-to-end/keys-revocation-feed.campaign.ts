import { generateKeyPairSync } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import { createAccessTokenVerifier } from '../../src/tokens/access-token-verifier.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { keyPrefix } from '../support/redis.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { startSentinelDeployment } from '../support/redis-sentinel.ts';
import { startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { accessToken, type OpenedRevocations, openTokenRevocations } from '../support/token-revocations.ts';

const isRevoked = async ({ revocations }: OpenedRevocations, token: ReturnType<typeof accessToken>) =>
  (await Promise.resolve(revocations.check(token)).catch(() => undefined)) === 'is revoked';

/** Two replicas whose Redis fails over: what is known holds, and what is revoked afterwards arrives. */
async function expectRevocationsAcross(url: string, failOver: (stream: string) => Promise<unknown>): Promise<void> {
  const prefix = keyPrefix();
  const replicas = await Promise.all([1, 2].map(() => openTokenRevocations(url, { prefix, lookupTimeout: 200 })));
  onTestFinished(() => {
    for (const { close } of replicas) close();
  });
  const [one, two] = replicas;
  if (!one || !two) throw new Error('there are two replicas');
  await Promise.all([one.untilSynced(), two.untilSynced()]);
  const before = Array.from({ length: 20 }, () => accessToken());
  for (const token of before) await one.revocations.revoke(token);
  const untilRevoked = (replica: OpenedRevocations, token: ReturnType<typeof accessToken>) =>
    eventually(
      () => isRevoked(replica, token),
      () => `a token is not revoked: ${replica.events}, ${replica.store.connection.problem}`,
      20_000,
    );
  for (const token of before) await untilRevoked(two, token);
  const failingOver = failOver(`${prefix}revocations`);
  const hold = async () => {
    for (const token of before) for (const replica of replicas) expect(await isRevoked(replica, token)).toBe(true);
  };
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  failingOver.then(end, end);
  while (!isOver) {
    await hold();
    await delay(50);
  }
  await failingOver;
  const after = accessToken();
  await eventually(
    async () =>
      one.revocations.revoke(after).then(
        () => true,
        () => false,
      ),
    () => 'no revocation is stored after the failover',
    20_000,
  );
  await untilRevoked(two, after);
  await Promise.all([one.untilSynced(), two.untilSynced()]);
  await hold();
  expect(await one.revocations.check(accessToken())).toBe(undefined);
}

describeWith(['redis-server'], 'revocations hold across a failover', () => {
  test('by Sentinel', async () => {
    const { nodes, sentinelPorts, masterName, ...deployment } = await startSentinelDeployment({
      directory: temporaryDirectory(),
    });
    onTestFinished(() => deployment.stop());
    const url = `redis+sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}/${masterName}`;
    await expectRevocationsAcross(url, async () => {
      const master = await deployment.currentMaster();
      master.kill('SIGKILL');
      await deployment.masterAfter(master, 30_000);
    });
  });

  test('in a Cluster', async () => {
    const deployment = await startClusterDeployment({ directory: temporaryDirectory(), replicas: 1 });
    onTestFinished(deployment.stop);
    const url = `redis+cluster://${deployment.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    await expectRevocationsAcross(url, async (stream) => {
      const master = await deployment.masterOfKey(stream);
      master.kill('SIGKILL');
      await eventually(
        async () => (await deployment.masterOfKey(stream).catch(() => master)) !== master,
        () => 'no replica was promoted',
        30_000,
      );
    });
  });
});

const MILLION = 1_000_000;

/** Adds that many revocations to the stream. */
const fillScript = `
for number = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[1], '*', 'jti', 'd0d11cb8-741a-48f5-a9a1-' .. number, 'exp', ARGV[3])
end`;

describeWith(['redis-server'], 'a million revocations', () => {
  test('take at most 64 bytes each, and cost a verification nothing noticeable', async () => {
    const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    onTestFinished(async () => void (await server.stop()));
    const redis = new Redis(server.port);
    onTestFinished(() => redis.disconnect());
    const prefix = keyPrefix();
    const expiry = String(Math.floor(Date.now() / 1000) + 86_400);
    for (let count = 0; count < MILLION; count += 10_000)
      await redis.eval(fillScript, 1, `${prefix}revocations`, count + 1, count + 10_000, expiry);
    const stream = Number(await redis.memory('USAGE', `${prefix}revocations`));

    const key = await signingKey();
    const verifierOf = (revocations: OpenedRevocations['revocations'] | undefined) =>
      createAccessTokenVerifier({ issuer: 'https://auth.example', keyring: { find: () => key }, revocations });
    const token = await key.sign(claims());
    const verification = async (revocations: OpenedRevocations['revocations'] | undefined) => {
      const verifier = verifierOf(revocations);
      await verifier.verify(token, Date.now());
      return () => verifier.verify(token, Date.now());
    };
    collectGarbage();
    const rss = process.memoryUsage.rss();
    const lateness = monitorEventLoopDelay({ resolution: 5 });
    lateness.enable();
    const start = performance.now();
    const opened = await openTokenRevocations(server.url, { prefix });
    onTestFinished(opened.close);
    await eventually(
      () => opened.revocations.state.ageSeconds < 1,
      () => 'they are not read',
      120_000,
    );
    const readIn = performance.now() - start;
    lateness.disable();
    collectGarbage();
    const resident = process.memoryUsage.rss() - rss;
    const { entries, bytes } = opened.revocations.state;
    const one = accessToken();
    const calls = [
      await verification(undefined),
      await verification(opened.revocations),
      () => opened.revocations.check({ ...one }),
    ];
    let ratios = await compareCosts(calls, opened.untilSynced);
    // What else uses the caches of the processor makes one comparison or another worse, but not each of them.
    for (let attempt = 1; attempt < 3 && !isCheap(ratios); attempt += 1)
      ratios = await compareCosts(calls, opened.untilSynced);
    const [costWith = Number.NaN, costAfterChange = Number.NaN] = ratios;
    console.log(
      [
        `${entries} revocations: ${(bytes / entries).toFixed(1)} bytes each, ${mebibytes(bytes)} MiB`,
        `resident memory: ${mebibytes(resident)} MiB more; in Redis, the stream: ${mebibytes(stream)} MiB`,
        `read in ${(readIn / 1000).toFixed(1)} s; the event loop was late by ${(lateness.percentile(99) / 1e6).toFixed(0)} ms (p99)`,
        `a verification costs ${costWith.toFixed(2)} times as much with a million as without any, and ` +
          `${costAfterChange.toFixed(2)} times as much more once after each new revocation`,
      ].join('\n'),
    );
    expect(entries).toBe(MILLION);
    expect(bytes).toBeLessThanOrEqual(64 * MILLION);
    expect(opened.revocations.check(accessToken({ tokenId: 'd0d11cb8-741a-48f5-a9a1-1' }))).toBe('is revoked');
    expect(opened.revocations.check(accessToken({ tokenId: `d0d11cb8-741a-48f5-a9a1-${MILLION}` }))).toBe('is revoked');
    await opened.untilSynced();
    expect(await opened.revocations.check(accessToken({ tokenId: 'd0d11cb8-741a-48f5-a9a1-0' }))).toBe(undefined);
    // Those of a slice in which the process was suspended for a second, so that the table was too old.
    const { found, stale, failed } = opened.revocations.state.lookups;
    expect(found + stale + failed).toBeLessThan(0.05 * VERIFICATIONS);
    expect(isCheap(ratios), `${costWith} times as much`).toBe(true);
  }, 400_000);
});

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

async function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return readSigningKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 'ES256');
}

function claims(): AccessTokenClaims {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: 'https://auth.example',
    sub: 'billing',
    aud: 'https://api.example',
    client_id: 'billing',
    iat,
    nbf: iat,
    exp: iat + 3_600,
    jti: crypto.randomUUID(),
    scope: 'read',
    cnf: { 'x5t#S256': 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
  };
}

/** So few that the feed is read in between, as in a server. */
const SLICE = 500;
/** Enough for the CPU clock, which can be as coarse as 10 ms. */
const SLICES = 40;
const ROUNDS = 10;
const VERIFICATIONS = SLICE * SLICES * ROUNDS;

const isCheap = ([costWith = Number.NaN]: readonly number[]) => costWith < 1.5;

/**
 * The CPU time of the other calls in multiples of the first one's: the least of several rounds of each. The calls take turns,
 * since the machine may be faster in one second than in the next.
 *
 * @param untilReady resolves at once if the process has not been suspended
 */
async function compareCosts(calls: readonly (() => unknown)[], untilReady: () => Promise<void>): Promise<number[]> {
  const least = calls.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, call] of calls.entries())
      least[index] = Math.min(least[index] ?? Number.NaN, await costOf(call, untilReady));
  }
  const [unit = Number.NaN, ...costs] = least;
  return costs.map((cost) => cost / unit);
}

/** The CPU time of a call, in microseconds: of many short slices, between which I/O is read. */
async function costOf(call: () => unknown, untilReady: () => Promise<void>): Promise<number> {
  let total = 0;
  for (let slice = 0; slice < SLICES; slice += 1) {
    await setImmediate();
    await untilReady();
    const results: unknown[] = [];
    const start = process.threadCpuUsage();
    for (let count = 0; count < SLICE; count += 1) results.push(call());
    const { user, system } = process.threadCpuUsage(start);
    total += user + system;
    await Promise.allSettled(results);
  }
  return total / (SLICE * SLICES);
}

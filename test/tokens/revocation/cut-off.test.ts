import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { Suspicion } from '../../../src/redis/suspicion.ts';
import { announcedKeys } from '../../../src/service/token-store.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { expectWithin } from '../../support/expect-within.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { keyPrefix, redisUrl } from '../../support/redis.ts';
import { openRedisRegistry } from '../../support/redis-registry.ts';
import { accessToken, openTokenRevocations } from '../../support/token-revocations.ts';

/** A replica, and what is between it and Redis. */
async function startReplica(now = Date.now) {
  const port = Number(new URL(redisUrl()).port);
  const proxy = await startFaultProxy({ target: { port } });
  const admin = new Redis({ port });
  const prefix = keyPrefix();
  const announced = announcedKeys(prefix);
  const suspicion = new Suspicion();
  const lookupTimeout = 80;
  const opened = await openTokenRevocations(proxy.url, { prefix, lookupTimeout, announced, suspicion, now });
  const keys = Object.values(announced);
  const { registry, modes } = await openRedisRegistry(proxy.url, { prefix, announced: keys, suspicion });
  onTestFinished(async () => {
    opened.close();
    await registry.close();
    admin.disconnect();
    await proxy.stop();
  });
  await eventually(
    () => modes.at(-1) === 'tracking',
    () => `mode: ${modes}`,
  );
  await opened.untilSynced();
  return { proxy, admin, revocations: opened.revocations, stream: `${prefix}revocations` };
}

describeWith(['redis-server'], 'a token that is revoked on another replica', () => {
  test.each([
    { lost: 'all connections are', isLost: () => true },
    { lost: 'the connection that reads revocations is', isLost: ({ sent }: { sent: string }) => /xrange/i.test(sent) },
  ])('is rejected within a second although $lost cut off', async ({ isLost }) => {
    await expectWithin(1_000, async () => {
      const { proxy, admin, revocations, stream } = await startReplica();
      // Younger than the interval at which an idle connection is probed.
      await delay(500);
      const { tokenId, expiresAt, ...claims } = accessToken();
      expect(proxy.freeze(isLost).length).toBeGreaterThan(0);
      const start = performance.now();
      await admin.xadd(stream, '*', 'jti', tokenId, 'exp', String(expiresAt));
      const check = async () => revocations.check({ ...claims, tokenId });
      await eventually(
        async () => (await check().catch(() => undefined)) === 'is revoked',
        () => 'the token is not revoked',
        10_000,
      );
      return performance.now() - start;
    });
  });
});

describeWith(['redis-server'], 'the revocations of a replica whose clock was set back', () => {
  test('are read again although no change is announced', async () => {
    let offset = 7_200_000;
    const { admin, stream, revocations } = await startReplica(() => Date.now() + offset);
    const { tokenId, expiresAt, ...claims } = accessToken();
    await admin.xadd(stream, '*', 'jti', tokenId, 'exp', String(expiresAt));
    // The change is read, and the next polls rest.
    await delay(1_500);
    const check = () => revocations.check({ ...claims, tokenId });
    expect(check()).toBe(undefined);
    offset = 0;
    await eventually(
      () => check() === 'is revoked',
      () => 'the token is not revoked',
      5_000,
    );
  });

  test('are read again although no change is announced, and there are none', async () => {
    let offset = 0;
    const { revocations } = await startReplica(() => Date.now() + offset);
    // The polls rest.
    await delay(1_500);
    offset = -7_200_000;
    // It is noticed at the next poll.
    await delay(1_500);
    await eventually(
      () => revocations.check(accessToken()) === undefined,
      () => 'each token is looked up',
      2_000,
    );
  });
});

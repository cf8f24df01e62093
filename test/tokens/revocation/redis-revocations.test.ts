import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { keyPrefix, redisUrl } from '../../support/redis.ts';
import { accessToken, openTokenRevocations } from '../../support/token-revocations.ts';

describeWith(['redis-server'], 'the revocations of two replicas', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(() => redis?.disconnect());

  async function openReplicas(prefix = keyPrefix()) {
    const replicas = await Promise.all([
      openTokenRevocations(redisUrl(), { prefix }),
      openTokenRevocations(redisUrl(), { prefix }),
    ]);
    onTestFinished(() => {
      for (const { close } of replicas) close();
    });
    await Promise.all(replicas.map(({ untilSynced }) => untilSynced()));
    return { prefix, replicas };
  }

  test('contain a revoked token in all of them within a second', async () => {
    const { replicas } = await openReplicas();
    const token = accessToken();
    for (const { revocations } of replicas) expect(revocations.check(token)).toBe(undefined);
    await replicas[0]?.revocations.revoke(token);
    expect(replicas[0]?.revocations.check(token)).toBe('is revoked');
    await eventually(
      () => replicas[1]?.revocations.check(token) === 'is revoked',
      () => 'not revoked',
      1_000,
    );
    expect(replicas[1]?.revocations.check(accessToken())).toBe(undefined);
  });
});

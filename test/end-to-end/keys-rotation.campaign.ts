import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audience, type RotationDeployment, startRotationDeployment } from '../rotation/deployment.ts';
import { type ProtectedApi, startProtectedApi } from '../rotation/jwt-authn.ts';
import { shortenedTimes } from '../rotation/shortened-times.ts';
import { startTokenChecks } from '../rotation/token-checks.ts';
import { startTokenLoad } from '../rotation/token-load.ts';
import { describeWith } from '../support/describe-with.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TOKENS = Number(process.env.COUNTERSIGN_ROTATION_TOKENS ?? 100_000);
const ROTATIONS = 4;

describeWith(['nginx', 'redis-server', 'envoy'], 'three replicas that rotate keys', () => {
  const times = shortenedTimes();
  let redis: RunningRedis;
  let deployment: RotationDeployment;
  let api: ProtectedApi;

  beforeAll(async () => {
    redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    deployment = await startRotationDeployment({
      times,
      redisPort: redis.port,
      clockOffsets: [0, times.clockOffset, 0],
      env: { COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url') },
    });
    api = await startProtectedApi({ ...deployment, audience, cacheDuration: 1 });
  });
  afterAll(async () => {
    await api?.stop();
    await deployment?.stop();
    await redis?.stop();
  });

  test('issue no token that a verifier rejects', { timeout: 3_600_000 }, async () => {
    const checks = startTokenChecks(deployment, times, api);
    const load = startTokenLoad({ ...deployment.load, connections: 24, onToken: checks.onToken });
    const began = performance.now();
    while (checks.unverifiable.length === 0 && (checks.tokens() < TOKENS || checks.keyIds().length <= ROTATIONS))
      await delay(100);
    await load.stop();
    const elapsed = Math.round((performance.now() - began) / 1000);
    await checks.stop();
    console.info(
      `${checks.tokens()} tokens of ${checks.keyIds().length} keys in ${elapsed} s, ${checks.verifications()} verifications`,
    );
    expect(checks.unverifiable).toEqual([]);
    expect(Object.fromEntries(load.failures)).toEqual({});
  });
});

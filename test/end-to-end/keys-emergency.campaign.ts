import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { clientId, type RotationDeployment, resourceName, startRotationDeployment } from '../rotation/deployment.ts';
import { DAY, HOUR, shortenedTimes } from '../rotation/shortened-times.ts';
import { startTokenChecks } from '../rotation/token-checks.ts';
import { type IssuedToken, startTokenLoad } from '../rotation/token-load.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const keyEncryptionKey = () => randomBytes(32).toString('base64url');

describeWith(['nginx', 'redis-server'], 'three replicas with a clock that is slow', () => {
  // No key is rotated but by command.
  const times = shortenedTimes({ publishAhead: 8 * HOUR, rotation: 365 * DAY });
  const keyFile = join(temporaryDirectory(), 'key-encryption-key');
  const firstKey = keyEncryptionKey();
  let redis: RunningRedis;
  let deployment: RotationDeployment;
  let published: number;

  beforeAll(async () => {
    writeFileSync(keyFile, firstKey, { mode: 0o600 });
    redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    deployment = await startRotationDeployment({
      times,
      redisPort: redis.port,
      clockOffsets: [0, -times.clockOffset, 0],
      env: { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: keyFile },
    });
    published = performance.now();
  });
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  /** Tokens for a client that requests them all the time, and are verified until they expire. */
  function startLoad() {
    const checks = startTokenChecks(deployment, times);
    let newest: IssuedToken | undefined;
    const onToken = async (token: IssuedToken) => {
      newest = token;
      await checks.onToken(token);
    };
    const load = startTokenLoad({ ...deployment.load, connections: 8, pause: 10, onToken });
    const waitForTokens = async (count: number) => {
      const wanted = checks.tokens() + count;
      await eventually(
        () => checks.tokens() >= wanted,
        () => `no tokens: ${JSON.stringify([...load.failures])}`,
      );
      return newest as IssuedToken;
    };
    const stop = async () => {
      await load.stop();
      await checks.stop();
    };
    onTestFinished(stop);
    return { ...checks, failures: load.failures, waitForTokens, stop };
  }

  /** For each replica, whether its edge admits the token, and whether its introspection reports it as active. */
  async function acceptance({ token }: IssuedToken): Promise<boolean[]> {
    const lines = exact(deployment.client);
    const answers = deployment.replicas.flatMap((_, index) => [
      sendRequest(deployment.socketOf(index, 'edge'), {
        method: 'GET',
        path: `/edge/verify/${resourceName}`,
        lines: [...lines, `Authorization: Bearer ${token}`],
      }).then(({ status }) => status === 200),
      sendRequest(deployment.socketOf(index), {
        path: '/introspect',
        lines,
        body: { token, client_id: clientId },
      }).then((response) => response.json().active === true),
    ]);
    return Promise.all(answers);
  }

  test('reject a withdrawn key within a second, and issue no token of the new one that a verifier rejects', async () => {
    const { policy } = times;
    const load = startLoad();
    const [signing, next] = (await deployment.fetchJwks()).keys.map(({ kid }) => kid);
    await delay(Math.max(0, published + policy.publishAhead - performance.now()));
    const old = await load.waitForTokens(100);
    expect([old.keyId, await acceptance(old)]).toEqual([signing, Array(6).fill(true)]);

    load.withdraw(old.keyId);
    const output = await deployment.run(['keys', 'rotate', '--now']);
    let accepted: boolean[] = [];
    const isRejected = async () => {
      accepted = await acceptance(old);
      return !accepted.includes(true);
    };
    await eventually(isRejected, () => `a replica accepts the withdrawn key: ${accepted}`, 1_000);
    expect((await deployment.fetchJwks()).keys.map(({ kid }) => kid)).not.toContain(old.keyId);

    // Those that were being issued meanwhile have arrived by then.
    await load.waitForTokens(20);
    const before = load.tokensOf(old.keyId);
    const current = await load.waitForTokens(1_000);
    expect([current.keyId, load.tokensOf(old.keyId)]).toEqual([next, before]);
    expect(await acceptance(current)).toEqual(Array(6).fill(true));
    await load.stop();
    expect(load.unverifiable).toEqual([]);
    expect(output).toMatch(/Envoy +10 minutes/);
  });

  test('continue to issue tokens while the key-encryption key is replaced', async () => {
    const load = startLoad();
    const secondKey = keyEncryptionKey();
    const restartAll = async (...keys: readonly string[]) => {
      writeFileSync(keyFile, keys.join('\n'));
      for (const [index, replica] of deployment.replicas.entries()) {
        await replica.stop();
        await deployment.restart(index);
        const isReady = async () => (await deployment.replicas[index]?.fetchOperations('/readyz'))?.status === 200;
        await eventually(isReady, () => `replica ${index} is not ready`);
        await load.waitForTokens(50);
      }
    };
    await restartAll(secondKey, firstKey);
    await deployment.run(['keys', 'reseal']);
    await restartAll(secondKey);
    expect(await acceptance(await load.waitForTokens(100))).toEqual(Array(6).fill(true));
    await load.stop();
    expect(load.unverifiable).toEqual([]);
  });
});

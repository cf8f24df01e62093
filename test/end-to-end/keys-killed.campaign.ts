import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingNextKeys } from '../../src/tokens/keyring/redis/changes.ts';
import { parseKeyring, type StoredKeyring } from '../../src/tokens/keyring/redis/stored-keyring.ts';
import { type RotationDeployment, startRotationDeployment } from '../rotation/deployment.ts';
import { HOUR, shortenedTimes } from '../rotation/shortened-times.ts';
import { startTokenChecks, type TokenChecks } from '../rotation/token-checks.ts';
import { startTokenLoad, type TokenLoad } from '../rotation/token-load.ts';
import { type CommandProxy, type ReplyRule, startCommandProxy } from '../support/command-proxy.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Words = readonly string[];

const isScript = ([command = '', , , key = '']: Words) => /^eval/i.test(command) && key.endsWith(':keyring');
/** The maintenance reads the keyring with the time, and replaces the value that it has read. */
const isRead = (words: Words) => isScript(words) && words.length === 4;
const isReplace = (words: Words) => isScript(words) && words.length > 4;

describeWith(['nginx', 'redis-server'], 'replicas that rotate keys issue no token that a verifier rejects', () => {
  const times = shortenedTimes({ publishAhead: 10 * HOUR });
  // Each test waits for a key to be published and for another one to sign, which takes longer on a busy machine.
  const timeout = 120_000 + 4 * times.policy.rotation;
  const directory = temporaryDirectory();
  let redis: RunningRedis;
  let proxies: readonly CommandProxy[];
  let deployment: RotationDeployment;
  let checks: TokenChecks;
  let load: TokenLoad;

  beforeAll(async () => {
    redis = await startRedis({ program: programPath('redis-server'), directory });
    proxies = await Promise.all([1, 2, 3].map(() => startCommandProxy(redis.port)));
    deployment = await startRotationDeployment({
      times,
      redisPort: redis.port,
      redisPorts: proxies.map(({ port }) => port),
      clockOffsets: [0, 0, -times.clockOffset],
      env: { COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url') },
    });
    checks = startTokenChecks(deployment, times);
    load = startTokenLoad({ ...deployment.load, connections: 4, pause: 10, onToken: checks.onToken });
  });
  afterAll(async () => {
    await load?.stop();
    await checks?.stop();
    await deployment?.stop();
    for (const proxy of proxies ?? []) await proxy.stop();
    await redis?.stop();
  });

  async function readKeyring(): Promise<StoredKeyring | undefined> {
    const text = await sendRedisCommand(redis.port, ['GET', `${deployment.prefix}keyring`]);
    return typeof text === 'string' ? parseKeyring(text) : undefined;
  }

  const hasNextKey = (keyring: StoredKeyring) => missingNextKeys(keyring, Date.now()).length === 0;

  /** Waits for the first token of another key. */
  async function expectRotation(): Promise<void> {
    const count = checks.keyIds().length;
    const explain = () => `no other key after ${checks.tokens()} tokens: ${JSON.stringify([...load.failures])}`;
    await eventually(() => checks.keyIds().length > count, explain, 2 * times.policy.rotation);
    expect(checks.unverifiable).toEqual([]);
  }

  /** Kills the first replica that sends such a command while the next key is missing, at that moment. */
  async function killAt(isStep: (words: Words) => boolean, isExecuted: boolean): Promise<number> {
    let [killed, isMissing] = [-1, false];
    const ruleOf =
      (index: number): ReplyRule =>
      (words) => {
        if (killed >= 0 || !isMissing || !isStep(words)) return undefined;
        killed = index;
        deployment.replicas[index]?.kill('SIGKILL');
        return isExecuted ? undefined : '-ERR killed\r\n';
      };
    for (const [index, { setRule }] of proxies.entries()) setRule(ruleOf(index));
    const isKilled = async () => {
      const keyring = await readKeyring();
      isMissing = keyring !== undefined && !hasNextKey(keyring);
      return killed >= 0;
    };
    await eventually(isKilled, () => 'no replica publishes the next key', 2 * times.policy.rotation);
    await deployment.replicas[killed]?.exited;
    return killed;
  }

  test.each([
    ['before it has read the keyring', isRead, false],
    ['when it has read the keyring', isRead, true],
    ['before it has replaced the keyring', isReplace, false],
    ['when it has replaced the keyring', isReplace, true],
  ])('if the one that publishes the next key is killed %s', { timeout }, async (_, isStep, isExecuted) => {
    const killed = await killAt(isStep, isExecuted);
    const isPublished = async () => hasNextKey((await readKeyring()) as StoredKeyring);
    await eventually(isPublished, () => 'no other replica publishes the next key');
    await deployment.restart(killed);
    await expectRotation();
  });

  test('if Redis has lost its data', { timeout }, async () => {
    const before = await readKeyring();
    await sendRedisCommand(redis.port, ['FLUSHALL']);
    await deployment.apply();
    await expectRestored(before);
    await expectRotation();
  });

  test('if Redis was restarted without data, and a replica was killed', { timeout }, async () => {
    const before = await readKeyring();
    redis.kill('SIGKILL');
    await redis.exited;
    deployment.replicas[1]?.kill('SIGKILL');
    await deployment.replicas[1]?.exited;
    redis = await startRedis({ program: programPath('redis-server'), directory, port: redis.port });
    await deployment.apply();
    await deployment.restart(1);
    await expectRestored(before);
    await expectRotation();
  });

  async function expectRestored(before: StoredKeyring | undefined): Promise<void> {
    let found: StoredKeyring | undefined;
    const isRestored = async () => {
      found = await readKeyring();
      return found !== undefined;
    };
    await eventually(isRestored, () => 'no replica has written back the keyring');
    expect(found?.id).toBe(before?.id);
    expect(found?.version).toBeGreaterThanOrEqual(before?.version ?? Number.POSITIVE_INFINITY);
  }
});

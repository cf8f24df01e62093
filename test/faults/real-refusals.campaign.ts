import { afterAll, beforeAll, onTestFinished, test } from 'vitest';
import { startWatchedServer, type WatchedServer } from '../redis/refusals/watched-server.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { connectRedis } from '../support/redis.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { serverAclRule } from '../support/server-acl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PREFIX = 'countersign:';
const env = { COUNTERSIGN_REDIS_KEY_PREFIX: PREFIX };
/** The documented ACL of the server for a database other than 0. */
const rule = `${serverAclRule(PREFIX, 'secret')} +select`;

/** Starts Redis, and runs a command as its administrator. */
async function startRedisWith(args: readonly string[] = [], aclRules: readonly string[] = [rule]) {
  const options = { program: programPath('redis-server'), directory: temporaryDirectory() };
  const redis = await startRedis({ ...options, args, aclRules });
  onTestFinished(async () => void (await redis.stop()));
  return { redis, administer: (...words: [string, ...string[]]) => sendRedisCommand(redis.port, words) };
}

async function startServer(
  { port }: RunningRedis,
  path = '/1',
  credentials = 'server:secret@',
): Promise<WatchedServer> {
  const server = await startWatchedServer(`redis://${credentials}127.0.0.1:${port}${path}`, env);
  onTestFinished(() => server.stop());
  return server;
}

const untilReadiness = (server: WatchedServer, status: 200 | 503) =>
  eventually(
    async () => (await server.readiness()) === status,
    () => `/readyz is not ${status}`,
  );

/** Denied by a real ACL, what the log says, and whether the server can serve nevertheless. */
const denied = [
  ['+get', /lacks \+get \(NOPERM/, 503],
  ['%R~countersign:registry', /lacks the key countersign:registry, or its pattern \(NOPERM/, 503],
  ['%R~countersign:client:*', /lacks the key countersign:client:, or its pattern \(NOPERM/, 503],
  ['+select', /lacks \+select \(NOPERM/, 503],
  ['+subscribe', /lacks \+subscribe \(NOPERM/, 200],
  ['+client|id', /lacks \+client\|id \(NOPERM/, 200],
  ['+client|tracking', /lacks \+client\|tracking \(NOPERM/, 200],
  ['&__redis__:invalidate', /lacks &__redis__:invalidate \(NOPERM/, 200],
] as const;
const [, , , deniedAtStart] = denied;

describeWith(['redis-server'], 'a server whose ACL', () => {
  let redis: RunningRedis;
  let server: WatchedServer;
  beforeAll(async () => {
    redis = await startRedis({
      program: programPath('redis-server'),
      directory: temporaryDirectory(),
      aclRules: [rule],
    });
    server = await startWatchedServer(`redis://server:secret@127.0.0.1:${redis.port}/1`, env);
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });

  const administer = (...words: [string, ...string[]]) => sendRedisCommand(redis.port, words);

  test.each(denied)(
    'lacks %s from now on logs it, and recovers once it is added',
    async (missing, reason, readiness) => {
      await server.untilRecovered();
      await administer('ACL', 'SETUSER', 'server', 'reset', ...rule.replace(` ${missing}`, '').split(' ').slice(1));
      await administer('CLIENT', 'KILL', 'USER', 'server');
      await server.untilLogged(reason);
      await untilReadiness(server, readiness);
      await administer('ACL', 'SETUSER', 'server', missing);
      // The server tries client tracking again after a minute, or on a new connection.
      await administer('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await server.untilRecovered();
    },
  );
});

describeWith(['redis-server'], 'a running server', () => {
  test.each([deniedAtStart])('whose ACL lacks %s logs it, and recovers once it is added', async (missing, reason) => {
    const { redis, administer } = await startRedisWith([], [rule.replace(` ${missing}`, '')]);
    const server = await startServer(redis);
    await server.untilLogged(reason);
    await untilReadiness(server, 503);
    await administer('ACL', 'SETUSER', 'server', missing);
    await server.untilRecovered();
  });

  test('for a database that does not exist logs that, and never exits', async () => {
    const { redis } = await startRedisWith(['--databases', '2']);
    const server = await startServer(redis, '/99');
    await server.untilLogged(/^the server has no database of this number: check the one in COUNTERSIGN_REDIS_URL \(/);
    // Several connections, of which the first one was not fatal.
    const selects = async () =>
      Number(
        /cmdstat_select:calls=\d+,.*rejected_calls=0,failed_calls=(\d+)/.exec(
          String(await sendRedisCommand(redis.port, ['INFO', 'commandstats'])),
        )?.[1],
      );
    await eventually(
      async () => (await selects()) >= 4,
      () => 'there are no further attempts',
    );
    await untilReadiness(server, 503);
    server.expectAlive();
  });

  test('for a database of a Cluster names the scheme to use', async () => {
    // By default, the cluster bus listens 10,000 ports higher, on one of the ephemeral ports.
    const { redis } = await startRedisWith(['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`]);
    const server = await startServer(redis);
    await server.untilLogged(/^the server is a Redis Cluster node: use redis\+cluster:\/\//);
    server.expectAlive();
  });

  test('whose user is deleted and created again, with another password and then its own, recovers', async () => {
    const { redis, administer } = await startRedisWith();
    const server = await startServer(redis);
    await server.untilRecovered();
    await administer('ACL', 'DELUSER', 'server');
    await server.untilLogged(
      /^authentication failed: check the user name and password in COUNTERSIGN_REDIS_URL \(WRONGPASS/,
    );
    await administer('ACL', 'SETUSER', ...withPassword('other'));
    await untilReadiness(server, 503);
    await administer('ACL', 'SETUSER', 'server', '>secret');
    await server.untilRecovered();
  });

  test('that finds no free connection logs that, and recovers', async () => {
    const { redis } = await startRedisWith();
    const admin = connectRedis(redis.url);
    onTestFinished(admin.close);
    await admin.client.config('SET', 'maxclients', '1');
    const server = await startServer(redis);
    await server.untilLogged(/^the server has too many connections: increase maxclients \(/);
    await admin.client.config('SET', 'maxclients', '100');
    await server.untilRecovered();
  });
});

const withPassword = (password: string) => rule.replace('>secret', `>${password}`).split(' ') as [string, ...string[]];

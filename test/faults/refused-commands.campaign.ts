import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RefusingRedis, startRefusingRedis, type Topology } from '../redis/refusals/refusing-redis.ts';
import { errorReplies, wrongTypes } from '../redis/refusals/replies.ts';
import { startWatchedServer, type WatchedServer } from '../redis/refusals/watched-server.ts';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';

/** A command, the reply to it, the status of `/readyz` meanwhile, and what the log says. */
type Row = readonly [command: string, reply: string, readiness: 200 | 503, reason: RegExp];

const noPermission = (command: string) => `-NOPERM User server has no permissions to run the '${command}' command\r\n`;

const PROTECTED_MODE =
  '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface.\r\n';
/** Of a node that has never met another one. */
const NO_ADDRESS = '*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:6379\r\n$1\r\nx\r\n';

/** One row of each kind of cause; `npm run test:refusals` tries every command with every reply. */
const rows: Readonly<Record<Topology, readonly Row[]>> = {
  server: [
    ['HELLO', noPermission('hello'), 503, /lacks \+hello \(NOPERM/],
    ['HELLO', PROTECTED_MODE, 503, /^the server is in protected mode: configure a user and password for it/],
    ['SELECT', noPermission('select'), 503, /lacks \+select \(NOPERM/],
    [
      'SELECT',
      '-ERR DB index is out of range\r\n',
      503,
      /no database of this number: check the one in COUNTERSIGN_REDIS_URL/,
    ],
    ['SELECT', wrongTypes['an integer'], 503, /^unexpected reply to SELECT/],
    ['INFO', wrongTypes.nil, 503, /^unexpected reply to INFO/],
    ['GET', errorReplies.LOADING, 503, /still loading its data \(LOADING/],
    ['PING', noPermission('ping'), 200, /lacks \+ping \(NOPERM/],
    ['SUBSCRIBE', wrongTypes['an integer'], 200, /^unexpected reply/],
    ['CLIENT TRACKING', wrongTypes['a push of nil'], 200, /^unexpected reply/],
  ],
  sentinel: [
    [
      'SENTINEL GET-MASTER',
      noPermission('sentinel|get-master-addr-by-name'),
      503,
      /^the ACL of the sentinels' user lacks \+sentinel\|get-master-addr-by-name \(/,
    ],
    ['SENTINEL SENTINELS', wrongTypes['an array of nil'], 503, /unexpected reply to SENTINEL/],
    ['INFO', wrongTypes['a nil array'], 503, /^unexpected reply to INFO/],
  ],
  cluster: [
    ['HELLO', noPermission('hello'), 503, /lacks \+hello \(NOPERM/],
    ['CLUSTER SLOTS', wrongTypes['nested nil'], 503, /^unexpected reply to CLUSTER/],
    ['CLUSTER SLOTS', wrongTypes['a simple string'], 503, /^unexpected reply to CLUSTER/],
    ['CLUSTER SLOTS', wrongTypes['an empty array'], 503, /does not serve all slots: check CLUSTER INFO/],
    ['CLUSTER SLOTS', NO_ADDRESS, 503, /do not know their own addresses: set cluster-announce-ip/],
    ['CLUSTER INFO', noPermission('cluster|info'), 503, /lacks \+cluster\|info \(NOPERM/],
    // Reading a migrating slot: GET is redirected, and ASKING is refused.
    ['ASKING', noPermission('asking'), 503, /while a slot migrates, the ACL needs \+asking/],
    ['GET', errorReplies['MOVED without an address'], 503, /redirects to a node without an address/],
  ],
};

for (const topology of ['server', 'sentinel', 'cluster'] as const) {
  describeWith(['redis-server'], `a running server whose Redis (${topology}) refuses`, () => {
    let redis: RefusingRedis;
    let server: WatchedServer;
    beforeAll(async () => {
      redis = await startRefusingRedis(topology);
      server = await startWatchedServer(redis.url);
      await server.untilRecovered();
    });
    afterAll(async () => {
      await server?.stop();
      await redis?.stop();
    });
    afterEach(async () => {
      redis.setRule(() => undefined);
      await server.untilRecovered();
    });

    test.each(rows[topology])('%s with %j survives, is %d, and logs %s', async (command, reply, readiness, reason) => {
      const { port } = new URL(redis.url.replace('redis+cluster', 'http'));
      redis.setRule((words) => {
        if (words.join(' ').startsWith(command)) return reply;
        return command === 'ASKING' && words[0] === 'GET' ? `-ASK 5 127.0.0.1:${port}\r\n` : undefined;
      });
      redis.resetAll();
      await eventually(
        async () => (await server.readiness()) === readiness && redis.refused().length > 0,
        () => `${command} was refused ${redis.refused().length} times, but /readyz is not ${readiness}`,
      );
      await server.untilLogged(reason);
      server.expectAlive();
    });
  });
}

describeWith(['redis-server'], 'a running server whose sentinel refuses SUBSCRIBE', () => {
  test('serves, and logs which sentinel refuses to announce failovers, and why', async () => {
    const redis = await startRefusingRedis('sentinel');
    onTestFinished(() => redis.stop());
    redis.setRule(([word, channel]) =>
      word === 'SUBSCRIBE' && channel === '+SWITCH-MASTER' ? noPermission('subscribe') : undefined,
    );
    const server = await startAuthorizationServer({ redisUrl: redis.url });
    onTestFinished(() => server.stop());
    const { reason } = await server.countersign.waitForEvent(({ event }) => event === 'sentinel_refused');
    expect(reason).toMatch(/^127\.0\.0\.1:\d+: the ACL of the sentinels' user lacks \+subscribe \(NOPERM /);
    expect((await server.countersign.fetchOperations('/readyz')).status).toBe(200);
  });
});

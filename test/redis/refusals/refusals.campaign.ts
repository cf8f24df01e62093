import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { type RefusingRedis, startRefusingRedis, type Topology } from './refusing-redis.ts';
import { errorReplies, wrongTypes } from './replies.ts';
import { startWatchedServer, type WatchedServer } from './watched-server.ts';

/**
 * What the server does while a command is refused with an error: it is not ready (`required`), it is ready and degraded
 * (`optional`), or it depends on the error (`either`).
 */
type Need = 'required' | 'optional' | 'either';

const ofEveryServer: Readonly<Record<string, Need>> = {
  HELLO: 'required',
  // NOPERM is tolerated.
  INFO: 'either',
  GET: 'either',
  PTTL: 'either',
  XRANGE: 'optional',
  PING: 'optional',
  SUBSCRIBE: 'optional',
  'CLIENT ID': 'optional',
  'CLIENT TRACKING': 'optional',
};

/** Every command that ioredis or the server sends. */
const commands: Readonly<Record<Topology, Readonly<Record<string, Need>>>> = {
  server: { ...ofEveryServer, SELECT: 'required' },
  sentinel: {
    ...ofEveryServer,
    SELECT: 'required',
    'SENTINEL GET-MASTER-ADDR-BY-NAME': 'required',
    'SENTINEL SENTINELS': 'required',
  },
  cluster: { ...ofEveryServer, 'CLUSTER SLOTS': 'required', 'CLUSTER INFO': 'required', 'CLIENT SETNAME': 'optional' },
};

const allReplies = Object.entries({ ...errorReplies, ...wrongTypes });
/** At the first connection, which needs a new process for each. */
const repliesAtFirst = [errorReplies.ERR, wrongTypes.nil, wrongTypes['an integer'], wrongTypes['a push of nil']];

const statuses: Readonly<Record<Need, readonly number[]>> = { required: [503], optional: [200], either: [200, 503] };
/** What no operator can use. */
const UNEXPLAINED = /TypeError|Cannot read|is not (?:a function|iterable)|undefined|\[object|report this|^$/;
const LOST = /^(?:connection lost|read ECONNRESET|write E\w+)$/;

for (const topology of ['server', 'sentinel', 'cluster'] as const) {
  describeWith(['redis-server'], `countersign serve, with Redis (${topology})`, () => {
    let redis: RefusingRedis;
    let server: WatchedServer | undefined;
    beforeAll(async () => {
      redis = await startRefusingRedis(topology);
    });
    afterAll(async () => {
      await server?.stop();
      await redis?.stop();
    });

    async function startedServer(): Promise<WatchedServer> {
      redis.setRule(() => undefined);
      server ??= await startWatchedServer(redis.url);
      await server.untilRecovered();
      return server;
    }

    /** Runs a trial; after a failure, the next one gets a new server. */
    async function problemOf(name: string, trial: () => Promise<void>): Promise<string[]> {
      try {
        await trial();
        return [];
      } catch (error) {
        await server?.stop().catch(() => {});
        server = undefined;
        return [`${name}: ${error instanceof Error ? error.message : error}`];
      }
    }

    async function recover(running: WatchedServer): Promise<void> {
      redis.setRule(() => undefined);
      // Client tracking is tried again on new connections, or once a minute.
      redis.resetAll();
      await running.untilRecovered();
      // The same reason is logged again after a second without a problem.
      await delay(1_100);
      running.newReasons();
    }

    async function expectExplained(running: WatchedServer): Promise<void> {
      running.expectAlive();
      const reasons = [...running.newReasons()];
      // A reply that never comes takes until the timeout.
      const isExplained = async () => {
        reasons.push(...running.newReasons());
        return (await running.readiness()) === 200 || reasons.some((reason) => !LOST.test(reason));
      };
      await eventually(isExplained, () => `the log contains only: ${reasons.join('; ')}`);
      expect(reasons.filter((reason) => UNEXPLAINED.test(reason))).toEqual([]);
    }

    const refuse = (command: string, reply: string) =>
      redis.setRule((words) => (words.join(' ').startsWith(command) ? reply : undefined));

    /** Refuses the command on all new connections of a running server. */
    async function refuseAtReconnection(command: string, need: Need, name: string, reply: string): Promise<void> {
      const running = await startedServer();
      refuse(command, reply);
      redis.resetAll();
      await eventually(
        async () => [400, 503].includes(await running.requestToken()) && redis.refused().length > 0,
        () => 'the command is not sent',
      );
      await delay(500);
      if (name in errorReplies)
        await eventually(
          async () => statuses[need].includes(await running.readiness()),
          () => `/readyz is not ${statuses[need].join(' or ')}`,
        );
      await expectExplained(running);
      await recover(running);
    }

    test.each(Object.entries(commands[topology]))(
      'outlives each reply to %s (%s) at a reconnection',
      async (command, need) => {
        const problems: string[] = [];
        for (const [name, reply] of allReplies)
          problems.push(...(await problemOf(name, () => refuseAtReconnection(command, need, name, reply))));
        expect(problems.join('\n')).toBe('');
      },
      600_000,
    );

    test.each(Object.entries(commands[topology]))(
      'starts while %s (%s) is refused, and recovers',
      async (command) => {
        for (const reply of repliesAtFirst) {
          await server?.stop();
          refuse(command, reply);
          server = await startWatchedServer(redis.url);
          await server.requestToken();
          await eventually(
            () => redis.refused().length > 0,
            () => `${command} is not sent`,
          );
          await delay(500);
          await expectExplained(server);
          await recover(server);
        }
      },
      300_000,
    );

    test('outlives each reply that belongs to no command', async () => {
      const problems: string[] = [];
      for (const [name, reply] of allReplies)
        problems.push(
          ...(await problemOf(name, async () => {
            const running = await startedServer();
            redis.sendToAll(reply);
            await delay(300);
            await expectExplained(running);
            await recover(running);
          })),
        );
      expect(problems.join('\n')).toBe('');
    }, 600_000);
  });
}

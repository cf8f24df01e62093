import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTokenLoad, type TokenLoad } from '../rotation/token-load.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import {
  type BalancerName,
  type ReplaceableReplicas,
  startReplaceableReplicas,
} from '../support/replaceable-replicas.ts';

const ROLLS = 20;
const REPLICAS = 3;
/** About ten times the duration on an idle machine. */
const TIMEOUT = 600_000;
const CONNECTIONS = 6;
/** How long the balancer still sends requests to a replica after SIGTERM. */
const NOTICE_MILLISECONDS = 500;
/** Longer than the notice and what a busy machine adds to it. */
const DRAIN_DELAY = '5s';
/** A reload of nginx closes idle connections, on which a client may be about to send a request. */
const lines = { nginx: ['Connection: close'], envoy: [] };

describeWith(['nginx', 'envoy'], 'three replicas under load', () => {
  // Both at the same time: most of a restart is waiting.
  const running = new Map<BalancerName, { deployment: ReplaceableReplicas; load: TokenLoad; tokens: () => number }>();

  beforeAll(async () => {
    for (const terminator of ['nginx', 'envoy'] as const) {
      const deployment = await startReplaceableReplicas(terminator, REPLICAS, { COUNTERSIGN_DRAIN_DELAY: DRAIN_DELAY });
      let tokens = 0;
      const onToken = async () => {
        tokens += 1;
      };
      const load = startTokenLoad({
        ...deployment.load,
        connections: CONNECTIONS,
        lines: lines[terminator],
        pause: 20,
        onToken,
      });
      running.set(terminator, { deployment, load, tokens: () => tokens });
    }
  });
  afterAll(async () => {
    for (const { load, deployment } of running.values()) {
      await load.stop();
      await deployment.stop();
    }
  });
  const of = (terminator: BalancerName) => {
    const found = running.get(terminator);
    if (!found) throw new Error(`${terminator} does not run`);
    return found;
  };

  test.concurrent.each(['nginx', 'envoy'] as const)(
    `behind %s, ${ROLLS} rolling restarts fail no request`,
    async (terminator) => {
      const { deployment, load, tokens } = of(terminator);
      const exits: Promise<number>[] = [];
      for (let restarts = 0; restarts < ROLLS * REPLICAS; restarts += 1) {
        const [oldest, ...others] = deployment.replicas;
        if (!oldest) throw new Error('there is no replica');
        const replacement = await deployment.start();
        oldest.kill('SIGTERM');
        exits.push(oldest.exited);
        await delay(NOTICE_MILLISECONDS);
        deployment.balance([...others, replacement]);
      }
      expect(await Promise.all(exits)).toEqual(exits.map(() => 0));
      expect(Object.fromEntries(load.failures)).toEqual({});
      expect(tokens()).toBeGreaterThan(ROLLS * REPLICAS);
    },
    TIMEOUT,
  );

  test.each(['nginx', 'envoy'] as const)(
    'behind %s, a killed replica fails only requests in flight',
    async (terminator) => {
      const { deployment, load, tokens } = of(terminator);
      const before = failed(load);
      const [killed, ...others] = deployment.replicas;
      killed?.kill('SIGKILL');
      await killed?.exited;
      const furtherTokens = async () => {
        const seen = tokens();
        await eventually(
          () => tokens() > seen + 200,
          () => `${tokens() - seen} tokens`,
        );
      };
      // Enough for each connection to have sent requests after the terminator has noticed that those of the replica are closed.
      await furtherTokens();
      const inFlight = failed(load) - before;
      // A request that the terminator sends in that moment counts as in flight: at most another one on each connection.
      expect(inFlight).toBeLessThanOrEqual(2 * CONNECTIONS);
      await furtherTokens();
      expect(failed(load) - before).toBe(inFlight);
      deployment.balance([...others, await deployment.start()]);
    },
  );
});

function failed({ failures }: TokenLoad): number {
  return [...failures.values()].reduce((sum, count) => sum + count, 0);
}

import { Redis } from 'ioredis';
import { afterAll, expect, test, vi } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { startRedisNode } from '../support/redis-node.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Fault, FaultyRedis } from './fault.ts';
import { type Row, summary, tableOf } from './fault-row.ts';
import { faults } from './faults.ts';
import { type Rejections, rejectAfterChanges } from './rejections.ts';
import { type IssuedToken, type Replicas, startReplicas } from './replicas.ts';
import { type Load, startLoad } from './token-load.ts';

vi.setConfig({ testTimeout: 180_000 });

const rows: Row[] = [];
/** For delays of the test process, not of the server. */
const NOISE_MILLISECONDS = 150;
const ATTEMPTS = 3;

describeWith(['redis-server'], 'two replicas under load, while Redis', () => {
  afterAll(() => console.log(tableOf(rows)));

  test('is down at startup, are live but not ready, and become ready once it starts', async () => {
    await expectInTime(startWithoutRedis, ({ slowestUnknown, recoveredAfter }, slower) => ({
      'the slowest response': slowestUnknown < 100 + NOISE_MILLISECONDS * slower,
      'the recovery': recoveredAfter < 5_000 * slower,
    }));
  });

  test.each(faults)('suffers “$name”, serve known clients, respond to others in time, and recover', async (each) => {
    const measure = async () => {
      const redis = await each.deploy();
      const replicas = await startReplicas(redis.url, redis.env);
      try {
        await replicas.writeAll(await redis.writer());
        await replicas.warm();
        return await runFault(each, redis, replicas);
      } finally {
        await replicas.stop();
        await redis.stop();
      }
    };
    await expectInTime(measure, ({ known, slowestUnknown, disabledAfter, revokedAfter, recoveredAfter }, slower) => ({
      'enough requests': known > 200 / slower,
      'the slowest response': slowestUnknown < 100 + NOISE_MILLISECONDS * slower,
      'the rejection of the disabled client': disabledAfter < (1_000 + NOISE_MILLISECONDS) * slower,
      'the rejection of the revoked token': revokedAfter < (1_000 + NOISE_MILLISECONDS) * slower,
      'the recovery': recoveredAfter < 5_000 * slower,
    }));
  });
});

/**
 * Known clients are always served. What exceeds a limit of time is measured again, up to three times: it may be the
 * machine that was slow or suspended.
 *
 * @param limits whether the times of a row are short enough on a machine that is slower by this factor
 */
async function expectInTime(
  measure: () => Promise<Row>,
  limits: (row: Row, slower: number) => Readonly<Record<string, boolean>>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const before = slowdown();
    const row = await measure();
    rows.push(row);
    expect(row.failures).toEqual([]);
    const kept = limits(row, Math.max(before, slowdown()));
    const exceeded = Object.keys(kept).filter((name) => !kept[name]);
    if (attempt === ATTEMPTS) expect(exceeded, JSON.stringify(row)).toEqual([]);
    if (exceeded.length === 0) return;
  }
}

/** No client is cached yet: the columns of known clients count from the start of Redis. */
async function startWithoutRedis(): Promise<Row> {
  const port = await freePort();
  const replicas = await startReplicas(`redis://127.0.0.1:${port}`);
  const before = startLoad(replicas.requesters, replicas.known);
  await pause(2_000);
  for (const { countersign } of replicas.servers) {
    expect((await countersign.fetchOperations('/livez')).status).toBe(200);
    expect((await countersign.fetchOperations('/readyz')).status).toBe(503);
  }
  const node = await startRedisNode({ program: programPath('redis-server'), directory: temporaryDirectory(), port });
  const admin = new Redis({ port });
  try {
    await replicas.writeAll(admin);
    const began = performance.now();
    const recoveredAfter = await recovery(replicas, began);
    await before.stop();
    const without = [...before.known, ...before.unknown].filter(({ at }) => at < began - 500);
    expect(new Set(without.map(({ status }) => status))).toEqual(new Set([503]));
    // It is not ready for a moment if it was suspended for longer than the timeout of its lookups.
    for (const { countersign } of replicas.servers) {
      await eventually(
        async () => (await countersign.fetchOperations('/readyz')).status === 200,
        () => 'a replica is not ready',
        5_000,
      );
    }
    await replicas.warm();
    const after = startLoad(replicas.requesters, replicas.known);
    const rejections = await rejectAfterChanges(admin, replicas, await replicas.issue());
    await pause(2_000);
    await after.stop();
    return {
      fault: 'down at boot',
      ...summary({ known: after.known, unknown: before.unknown }),
      ...rejections,
      recoveredAfter,
    };
  } finally {
    admin.disconnect();
    await replicas.stop();
    await node.stop();
  }
}

/** Injects the fault under load; disables the victim and revokes tokens during the fault if Redis accepts writes then. */
async function runFault(fault: Fault, redis: FaultyRedis, replicas: Replicas): Promise<Row> {
  const tokens = await replicas.issue();
  const load = startLoad(replicas.requesters, replicas.known);
  await pause(500);
  const injected = redis.inject(replicas).then(() => performance.now());
  const [rejectionsDuring, injectedAt] = await Promise.all([
    rejectDuring(redis, replicas, tokens),
    injected,
    pause(fault.durationMilliseconds),
  ]);
  const ended = performance.now();
  await redis.recover?.(replicas);
  const recoveredAt = performance.now();
  const recoveredAfter = await recovery(replicas, recoveredAt);
  const rejections = rejectionsDuring ?? (await rejectAfterChanges(await redis.writer(), replicas, tokens));
  await load.stop();
  expectCorrectResponses(fault, load, injectedAt + 100, ended);
  return { fault: fault.name, ...summary(load), ...rejections, recoveredAfter };
}

/**
 * As {@link rejectAfterChanges}; undefined if Redis accepts no writes. Written as soon as the fault is injected, when most of
 * a silence is still to come.
 */
async function rejectDuring(
  redis: FaultyRedis,
  replicas: Replicas,
  tokens: readonly IssuedToken[],
): Promise<Rejections | undefined> {
  await pause(20);
  const writer = await redis.writerDuring();
  return writer && rejectAfterChanges(writer, replicas, tokens);
}

/** How long until both replicas reject unknown clients with 400 again, and track changes. */
async function recovery({ requesters: ask, servers }: Replicas, since: number): Promise<number> {
  let number = 0;
  for (const [index, replica] of ask.entries()) {
    await eventually(
      async () => (await replica(`later-${number++}`)).status === 400,
      () => 'still 503',
      10_000,
    );
    const lines = servers[index]?.countersign.lines ?? [];
    const isTracking = () => lines.findLast(({ event }) => event === 'invalidation_mode_changed')?.mode === 'tracking';
    await eventually(isTracking, () => 'not tracking', 10_000);
  }
  return performance.now() - since;
}

/** Unknown clients get 503 while Redis cannot be read, otherwise 400, and never anything else. */
function expectCorrectResponses(
  { servesUnknownClients }: Fault,
  { unknown }: Load,
  began: number,
  ended: number,
): void {
  for (const { at, milliseconds, status } of unknown) {
    // A replica that was suspended when the fault ended may respond as after it.
    const isDuring = at > began && at + milliseconds < ended;
    expect(isDuring && !servesUnknownClients ? [503] : [400, 503]).toContain(status);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createHeartbeat, type Heartbeat } from '../../src/redis/heartbeat.ts';
import { callEvery } from '../../src/shared-timer.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { redisUrl } from '../support/redis.ts';

const ONE_WAY_MILLISECONDS = 150;

describeWith(['redis-server'], 'a heartbeat over a slow network', () => {
  let proxy: FaultProxy;
  let redis: Redis;
  let heartbeat: Heartbeat;
  let silences: number;
  beforeEach(async () => {
    proxy = await startFaultProxy({ target: { port: Number(new URL(redisUrl()).port) } });
    redis = new Redis(proxy.url);
    await redis.ping();
    proxy.setLatency(ONE_WAY_MILLISECONDS);
    silences = 0;
    heartbeat = createHeartbeat({ redis, onSilent: () => silences++ });
  });
  afterEach(async () => {
    heartbeat.stop();
    redis.disconnect();
    await proxy.stop();
  });

  test('lastProbeAt is when the answered PING was sent, not when the reply arrived', async () => {
    const startedAt = performance.now();
    heartbeat.start();
    await eventually(
      () => heartbeat.lastProbeAt > startedAt + 100,
      () => 'no reply',
      5_000,
    );
    // Timers may fire a little early.
    expect(performance.now() - heartbeat.lastProbeAt).toBeGreaterThan(2 * ONE_WAY_MILLISECONDS - 20);
  });

  test('stop discards replies to PINGs that were sent before', async () => {
    heartbeat.start();
    const bytesBefore = proxy.connections().at(-1)?.bytesSent ?? 0;
    await eventually(
      () => (proxy.connections().at(-1)?.bytesSent ?? 0) > bytesBefore,
      () => 'no PING was sent',
      5_000,
    );
    heartbeat.stop();
    // Replied to after the PINGs of the heartbeat.
    await redis.ping();
    expect(heartbeat.lastProbeAt).toBe(Number.NEGATIVE_INFINITY);
  });

  test('onSilent is called when the network stops forwarding, and not before', async () => {
    heartbeat.start();
    const startedAt = heartbeat.lastProbeAt;
    await eventually(
      () => heartbeat.lastProbeAt > startedAt,
      () => 'no reply',
      5_000,
    );
    expect(silences).toBe(0);
    proxy.stopForwarding();
    await eventually(
      () => silences > 0,
      () => 'the heartbeat does not call onSilent',
      3_000,
    );
  });
});

/** A connection on which the test replies to PINGs, so that time is counted in PINGs and not on a clock. */
function scriptedConnection(onPing: (number: number, reply: (number: number) => void) => void) {
  const replies: (() => void)[] = [];
  const sentAt: number[] = [];
  const silentAfter: number[] = [];
  const ping = () =>
    new Promise<string>((resolve) => {
      sentAt.push(performance.now());
      replies.push(() => resolve('PONG'));
      onPing(replies.length, (number) => replies[number - 1]?.());
    });
  const heartbeat = createHeartbeat({ redis: { ping }, onSilent: () => silentAfter.push(sentAt.length) });
  onTestFinished(() => heartbeat.stop());
  return {
    heartbeat,
    sentAt,
    /** How many PINGs had been sent at each call of `onSilent`. */
    silentAfter,
    untilSent: (count: number) =>
      eventually(
        () => sentAt.length >= count,
        () => `${sentAt.length} PINGs were sent`,
      ),
  };
}

const answerEach = (number: number, reply: (number: number) => void) => reply(number);

describe('a heartbeat', () => {
  test('counts an error reply as an answer', async () => {
    let pings = 0;
    const ping = async () => {
      pings++;
      throw Object.assign(new Error('NOPERM no'), { name: 'ReplyError' });
    };
    const silent: number[] = [];
    const heartbeat = createHeartbeat({ redis: { ping }, onSilent: () => silent.push(pings) });
    onTestFinished(() => heartbeat.stop());
    heartbeat.start();
    // More than are sent to a server that does not reply.
    await eventually(
      () => pings > 19,
      () => `${pings} PINGs were sent`,
    );
    expect(silent).toEqual([]);
  });

  test('calls onSilent after three unanswered PINGs: two thirds of a second, and two ninths', async () => {
    let ticks = 0;
    let answeredAtTick = 0;
    // The second one follows sooner than the others.
    const { heartbeat, sentAt, silentAfter } = scriptedConnection((number, reply) => {
      if (number > 3) return;
      answeredAtTick = ticks;
      reply(number);
    });
    // A busy machine delays both alike.
    onTestFinished(callEvery(1_000 / 9, () => ticks++));
    heartbeat.start();
    await eventually(
      () => silentAfter.length > 0,
      () => `${sentAt.length} PINGs were sent`,
    );
    // On a busy machine, one PING more is sent, or one fewer.
    expect(Math.abs((silentAfter[0] ?? 0) - 6)).toBeLessThanOrEqual(1);
    expect(Math.abs(ticks - answeredAtTick - (2 * 3 + 2))).toBeLessThanOrEqual(1);
  });

  test('sends the PINGs of all connections at the same time', async () => {
    const [one, other] = [scriptedConnection(answerEach), scriptedConnection(answerEach)];
    one.heartbeat.start();
    await delay(200);
    other.heartbeat.start();
    await other.untilSent(4);
    const nearest = (time: number) => Math.min(...one.sentAt.map((sent) => Math.abs(sent - time)));
    // The first two are sent at the start, and at most an interval later.
    expect(
      other.sentAt
        .slice(2, 4)
        .map(nearest)
        .every((distance) => distance < 50),
    ).toBe(true);
  });

  test('sends a PING only every interval, and at once when it is hastened and needed', async () => {
    let isNeeded = false;
    const sent = { rare: 0, usual: 0 };
    const counting = (name: keyof typeof sent) => ({
      redis: {
        ping: async () => {
          sent[name] += 1;
        },
      },
      onSilent: () => {},
    });
    const rare = createHeartbeat({ ...counting('rare'), interval: 60_000, isNeeded: () => isNeeded });
    const usual = createHeartbeat(counting('usual'));
    onTestFinished(() => [rare, usual].forEach((each) => void each.stop()));
    rare.start();
    usual.start();
    const untilUsual = (count: number) =>
      eventually(
        () => sent.usual >= count,
        () => `${sent.usual} PINGs were sent`,
      );
    await untilUsual(3);
    rare.hasten();
    // At the start.
    expect(sent.rare).toBe(1);
    isNeeded = true;
    rare.hasten();
    rare.hasten();
    expect(sent.rare).toBe(2);
    const before = sent.usual;
    await untilUsual(before + 3);
    // Three times as many, since it sends one every 111 ms.
    expect(sent.rare).toBeGreaterThan(4);
  });

  test('does not call onSilent while each PING is answered two PINGs later', async () => {
    const { heartbeat, silentAfter, untilSent } = scriptedConnection((number, reply) => reply(number - 2));
    heartbeat.start();
    await untilSent(12);
    expect(silentAfter).toEqual([]);
  });

  test('sends a PING only every interval again when the reply to one was never received', async () => {
    // As if the command had timed out. A connection preserves order, so the reply to the third one proves that it is not missing.
    const { heartbeat, sentAt, untilSent } = scriptedConnection((number, reply) => number !== 2 && reply(number));
    heartbeat.start();
    await untilSent(7);
    const gaps = sentAt.slice(4).map((time, index) => time - (sentAt[index + 3] ?? 0));
    // Not a ninth of a second.
    expect(Math.max(...gaps)).toBeGreaterThan(200);
  });

  test('waits for the first reply of a distant server, and calls onSilent after two seconds', async () => {
    const distant = scriptedConnection((number, reply) => reply(number - 7));
    const unresponsive = scriptedConnection(() => {});
    distant.heartbeat.start();
    unresponsive.heartbeat.start();
    await eventually(
      () => unresponsive.silentAfter.length > 0,
      () => `${unresponsive.sentAt.length} PINGs were sent`,
    );
    await distant.untilSent(16);
    // One at the start, another one up to a third of a second later, and then one every ninth. On a busy machine, some are skipped.
    expect(unresponsive.silentAfter[0]).toBeGreaterThan(7);
    expect(unresponsive.silentAfter[0]).toBeLessThan(19);
    expect(distant.silentAfter).toEqual([]);
    const answered = distant.sentAt.length - 7;
    expect(distant.heartbeat.lastProbeAt).toBeLessThanOrEqual(distant.sentAt[answered - 1] ?? 0);
    expect(distant.heartbeat.lastProbeAt).toBeGreaterThan(distant.sentAt[answered - 2] ?? 0);
  });
});

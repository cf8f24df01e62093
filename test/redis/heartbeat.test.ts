import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHeartbeat, type Heartbeat } from '../../src/redis/heartbeat.ts';
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

  test('proves what the server had sent when it was asked, not when the answer came', async () => {
    const begun = performance.now();
    heartbeat.start();
    await eventually(
      () => heartbeat.lastProbeAt > begun + 100,
      () => 'no answer',
      5_000,
    );
    // Timers may be a little early.
    expect(performance.now() - heartbeat.lastProbeAt).toBeGreaterThan(2 * ONE_WAY_MILLISECONDS - 20);
  });

  test('takes no answer to what was asked before its end', async () => {
    heartbeat.start();
    const asked = proxy.connections().at(-1)?.bytesSent ?? 0;
    await eventually(
      () => (proxy.connections().at(-1)?.bytesSent ?? 0) > asked,
      () => 'nothing was asked',
      5_000,
    );
    heartbeat.stop();
    // What is asked now is answered after what was asked then.
    await redis.ping();
    expect(heartbeat.lastProbeAt).toBe(Number.NEGATIVE_INFINITY);
  });

  test('says that the server is silent, and nothing of the sort while it only is slow', async () => {
    heartbeat.start();
    for (let times = 0; times < 6; times++) await redis.ping();
    expect(silences).toBe(0);
    proxy.stopForwarding();
    await eventually(
      () => silences > 0,
      () => 'it does not say so',
      3_000,
    );
  });

  test('has patience with one far away, which is late the first time', async () => {
    proxy.setLatency(500);
    heartbeat.start();
    for (let times = 0; times < 2; times++) await redis.ping();
    expect(silences).toBe(0);
    expect(performance.now() - heartbeat.lastProbeAt).toBeLessThan(1_500);
  });

  test('says so of a server that left four questions unanswered, one each 150 ms', async () => {
    const asked = () => proxy.connections().at(-1)?.sent.match(/ping/gi)?.length ?? 0;
    proxy.setLatency(0);
    heartbeat.start();
    const begun = heartbeat.lastProbeAt;
    await eventually(
      () => heartbeat.lastProbeAt > begun,
      () => 'no answer',
    );
    const before = asked();
    proxy.stopForwarding();
    // Beside it, so that a machine that stands still makes no difference.
    let quarters = 0;
    const clock = setInterval(() => quarters++, 150 / 4);
    await eventually(
      () => silences > 0,
      () => 'it does not say so',
      5_000,
    );
    clearInterval(clock);
    heartbeat.stop();
    expect(asked() - before).toBe(4);
    expect(quarters).toBeGreaterThan(4 * 4);
    expect(quarters).toBeLessThan(6 * 4);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { impatientRedis } from '../support/impatient-redis.ts';
import { redisUrl } from '../support/redis.ts';

describeWith(['redis-server'], 'a fault proxy', () => {
  let proxy: FaultProxy;
  let client: Redis;
  beforeAll(async () => {
    proxy = await startFaultProxy({ target: { port: Number(new URL(redisUrl()).port) } });
    client = impatientRedis(proxy.url);
  });
  afterAll(async () => {
    await proxy?.stop();
  });

  const reconnect = async () => {
    client.disconnect();
    client = impatientRedis(proxy.url);
    expect(await client.ping()).toBe('PONG');
  };

  it('delays data and preserves its order', async () => {
    expect(await client.ping()).toBe('PONG');
    proxy.setLatency(150);
    const start = performance.now();
    const first = client.echo('1').then(() => performance.now() - start);
    await delay(20);
    proxy.setLatency(0);
    expect(await client.echo('2')).toBe('2');
    // A timer can fire early by as long as the turn of the event loop took that started it.
    expect(await first).toBeGreaterThan(100);
    expect(await client.ping()).toBe('PONG');
  });

  it('freezes only the connection that matches, for good', async () => {
    const subscriber = impatientRedis(proxy.url, { protocol: 2 });
    await subscriber.subscribe('channel');
    expect(proxy.connections()).toHaveLength(2);
    const [frozen, ...others] = proxy.freeze(({ sent }) => /subscribe/i.test(sent));
    expect([frozen?.isFrozen, others]).toEqual([true, []]);
    const messages: string[] = [];
    subscriber.on('message', (channel) => messages.push(channel));
    expect(await client.publish('channel', 'x')).toBe(1);
    await proxy.resume();
    await delay(50);
    expect([messages, subscriber.status]).toEqual([[], 'ready']);
    expect(proxy.connections().find(({ id }) => id === frozen?.id)?.bytesReceived).toBeGreaterThan(
      frozen?.bytesReceived ?? 0,
    );
    subscriber.disconnect();
  });

  it('discards data without closing connections', async () => {
    await reconnect();
    proxy.stopForwarding();
    expect(await isSilent(client)).toBe(true);
    const late = impatientRedis(proxy.url);
    expect(await isSilent(late)).toBe(true);
    expect(client.status).toBe('ready');
    await proxy.resume();
    expect(await isSilent(client)).toBe(true);
    for (const each of [late, client]) each.disconnect();
    await reconnect();
  });

  it('refuses new connections and resets open ones', async () => {
    const reset = new Promise((resolve) => client.once('close', resolve));
    proxy.destroyAll();
    await reset;
    await reconnect();
    await proxy.refuse();
    await expect(client.ping()).rejects.toThrow();
    const errors = new Promise<Error>((resolve) => impatientRedis(proxy.url).once('error', resolve));
    expect(await errors).toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.resume();
    await reconnect();
    expect(proxy.connections()).toHaveLength(1);
  });
});

/** Whether a command gets no reply, and no error, for a while. */
function isSilent(client: Redis): Promise<boolean> {
  const end = () => false;
  return Promise.race([client.ping().then(end, end), delay(300, true)]);
}

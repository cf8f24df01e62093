import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scanKeys } from '../../src/redis/commands/scan.ts';
import { openSets } from '../../src/redis/commands/sets.ts';
import { type StoredValue, valueReader, valueReplacer } from '../../src/redis/commands/values.ts';
import { openRedis, type RedisConnection } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Place {
  readonly url: string;
  readonly direct: Redis | Cluster;
  readonly subscriber: Redis;
  readonly stop: () => Promise<unknown>;
}

async function openShared(): Promise<Place> {
  const [direct, subscriber] = [new Redis(redisUrl()), new Redis(redisUrl())];
  return { url: redisUrl(), direct, subscriber, stop: async () => {} };
}

async function openCluster(): Promise<Place> {
  const { nodes, stop } = await startClusterDeployment({ directory: temporaryDirectory() });
  const [first] = nodes;
  const direct = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  return { url: `redis+cluster://127.0.0.1:${first?.port}`, direct, subscriber: new Redis(first?.port ?? 0), stop };
}

for (const [name, open] of [
  ['Redis', openShared],
  ['a Redis Cluster', openCluster],
] as const) {
  describeWith(['redis-server'], `many keys of ${name}`, () => {
    // Globs, and braces that a cluster takes for no hash tag: the keys are of many slots.
    const prefix = `${keyPrefix()}*[a]?\\x}{:`;
    const keys = Array.from({ length: 450 }, (_, index) => `${prefix}${index}`);
    let place: Place;
    let connection: RedisConnection | undefined;
    let redis: Redis | Cluster;
    beforeAll(async () => {
      place = await open();
      const address = parseRedisUrl(place.url);
      connection = await openRedis({
        address,
        tls: {},
        commandTimeoutMilliseconds: 5_000,
        isBulk: true,
        onStatusChange: () => {},
      });
      await eventually(
        () => connection?.problem === undefined,
        () => String(connection?.problem),
      );
      redis = connection.redis;
    }, 30_000);
    afterAll(async () => {
      connection?.close();
      for (const each of [place?.direct, place?.subscriber]) each?.disconnect();
      await place?.stop();
    });

    const write = async (seen: StoredValue, next: string | undefined, key = `${prefix}one`) => {
      const [written] = valueReplacer(redis, `${prefix}changes`)([{ key, expected: seen, next }]);
      return written;
    };

    test('are written, read and found, and nobody else is', async () => {
      const others = [`${prefix.replace('*', 'x')}0`, `${prefix.slice(0, -1)}`];
      for (const other of others) await place.direct.set(other, 'other');
      const replacements = keys.map((key) => ({ key, expected: { type: 'none' }, next: `v-${key}` }) as const);
      const written = await Promise.all(valueReplacer(redis, 'c')(replacements));
      expect(written).toEqual(keys.map(() => true));
      expect(await valueReader(redis)([...keys, `${prefix}none`])).toEqual([
        ...keys.map((key) => ({ type: 'string', text: `v-${key}` })),
        { type: 'none' },
      ]);
      const found = new Set<string>();
      for await (const batch of scanKeys(redis, prefix)) for (const key of batch) found.add(key);
      expect([...found].sort()).toEqual([...keys].sort());
      const some = new Set<string>();
      for await (const batch of scanKeys(redis, prefix, '44?')) for (const key of batch) some.add(key);
      expect(some.size).toBe(10);
    });

    test('a value is replaced only where it is what was seen, and its time to live stays', async () => {
      const key = `${prefix}one`;
      expect(await write({ type: 'none' }, 'a')).toBe(true);
      expect(await write({ type: 'none' }, 'b')).toBe(false);
      expect(await write({ type: 'string', text: 'b' }, 'c')).toBe(false);
      expect(await write({ type: 'other', name: 'list' }, 'c')).toBe(false);
      await place.direct.lpush(`${prefix}other`, 'a');
      expect(await write({ type: 'string', text: 'a' }, 'c', `${prefix}other`)).toBe(false);
      await place.direct.expire(key, 1000);
      expect(await write({ type: 'string', text: 'a' }, 'd')).toBe(true);
      expect(await place.direct.get(key)).toBe('d');
      expect(await place.direct.ttl(key)).toBeGreaterThan(900);
      expect(await write({ type: 'string', text: 'x' }, undefined)).toBe(false);
      expect(await write({ type: 'string', text: 'd' }, undefined)).toBe(true);
      expect(await place.direct.exists(key)).toBe(0);
    });

    test('what is not text, or no string at all, is seen as it is and replaced', async () => {
      const octets = Buffer.from([0xff, 0x00, 0xfe]);
      await place.direct.set(`${prefix}binary`, octets);
      await place.direct.lpush(`${prefix}list`, 'x');
      const read = valueReader(redis);
      const [binary, list] = await read([`${prefix}binary`, `${prefix}list`]);
      expect(binary).toMatchObject({ type: 'string', octets });
      expect(list).toEqual({ type: 'other', name: 'list' });
      const replace = valueReplacer(redis, 'c');
      for (const [key, seen] of [
        [`${prefix}binary`, binary],
        [`${prefix}list`, list],
      ] as const) {
        expect(seen && (await Promise.all(replace([{ key, expected: seen, next: 'x' }])))).toEqual([true]);
        expect(await place.direct.get(key)).toBe('x');
      }
    });

    test('each write is told, and one that was not made is not', async () => {
      const told: string[] = [];
      await place.subscriber.subscribe(`${prefix}changes`);
      place.subscriber.on('message', (_, changed: string) => told.push(changed));
      const [key, last] = [`${prefix}told`, `${prefix}last`];
      await write({ type: 'none' }, 'a', key);
      await write({ type: 'none' }, 'b', key);
      await write({ type: 'string', text: 'a' }, undefined, key);
      await write({ type: 'none' }, 'a', last);
      // In a cluster also what was written before the subscription may come after it, from another node.
      const ofThis = () => told.filter((changed) => changed === key || changed === last);
      await eventually(
        () => ofThis().length >= 3,
        () => `told: ${told}`,
      );
      expect(ofThis().sort()).toEqual([last, key, key]);
    });

    test('sets take members in and give them back, whatever stood there', async () => {
      const sets = openSets(redis);
      await place.direct.set(`${keys[0]}:set`, 'no set');
      await sets.add(
        keys.flatMap((key) => [
          { key: `${key}:set`, member: 'a' },
          { key: `${key}:set`, member: 'b' },
        ]),
      );
      await sets.remove(keys.map((key) => ({ key: `${key}:set`, member: 'a' })));
      await place.direct.set(`${prefix}text`, 'no set');
      await sets.remove([{ key: `${prefix}text`, member: 'a' }]);
      const members = await sets.members([...keys.map((key) => `${key}:set`), `${prefix}text`, `${prefix}none`]);
      expect(members).toEqual([...keys.map(() => ['b']), [], []]);
    });
  });
}

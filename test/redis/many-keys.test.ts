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

interface Deployment {
  readonly url: string;
  readonly direct: Redis | Cluster;
  readonly subscriber: Redis;
  readonly stop: () => Promise<unknown>;
}

async function openShared(): Promise<Deployment> {
  const [direct, subscriber] = [new Redis(redisUrl()), new Redis(redisUrl())];
  return { url: redisUrl(), direct, subscriber, stop: async () => {} };
}

async function openCluster(): Promise<Deployment> {
  const { nodes, stop } = await startClusterDeployment({ directory: temporaryDirectory() });
  const [first] = nodes;
  const direct = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  return { url: `redis+cluster://127.0.0.1:${first?.port}`, direct, subscriber: new Redis(first?.port ?? 0), stop };
}

for (const [name, open] of [
  ['Redis', openShared],
  ['a Redis Cluster', openCluster],
] as const) {
  describeWith(['redis-server'], `bulk commands on ${name}`, () => {
    // Glob characters, and braces that are not a hash tag: the keys belong to many slots.
    const prefix = `${keyPrefix()}*[a]?\\x}{:`;
    const keys = Array.from({ length: 450 }, (_, index) => `${prefix}${index}`);
    let deployment: Deployment;
    let connection: RedisConnection | undefined;
    let redis: Redis | Cluster;
    beforeAll(async () => {
      deployment = await open();
      const address = parseRedisUrl(deployment.url);
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
    });
    afterAll(async () => {
      connection?.close();
      for (const each of [deployment?.direct, deployment?.subscriber]) each?.disconnect();
      await deployment?.stop();
    });

    const replace = async (expected: StoredValue, next: string | undefined, key = `${prefix}one`) => {
      const [written] = valueReplacer(redis, `${prefix}changes`)([{ key, expected, next }]);
      return written;
    };

    test('write, read and scan the keys with the prefix, and no others', async () => {
      const others = [`${prefix.replace('*', 'x')}0`, `${prefix.slice(0, -1)}`];
      for (const other of others) await deployment.direct.set(other, 'other');
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

    test('replace a value only if it is the expected one, and keep its time to live', async () => {
      const key = `${prefix}one`;
      expect(await replace({ type: 'none' }, 'a')).toBe(true);
      expect(await replace({ type: 'none' }, 'b')).toBe(false);
      expect(await replace({ type: 'string', text: 'b' }, 'c')).toBe(false);
      expect(await replace({ type: 'other', name: 'list' }, 'c')).toBe(false);
      await deployment.direct.lpush(`${prefix}other`, 'a');
      expect(await replace({ type: 'string', text: 'a' }, 'c', `${prefix}other`)).toBe(false);
      await deployment.direct.expire(key, 1000);
      expect(await replace({ type: 'string', text: 'a' }, 'd')).toBe(true);
      expect(await deployment.direct.get(key)).toBe('d');
      expect(await deployment.direct.ttl(key)).toBeGreaterThan(900);
      expect(await replace({ type: 'string', text: 'x' }, undefined)).toBe(false);
      expect(await replace({ type: 'string', text: 'd' }, undefined)).toBe(true);
      expect(await deployment.direct.exists(key)).toBe(0);
    });

    test('read and replace binary strings and values of other types', async () => {
      const bytes = Buffer.from([0xff, 0x00, 0xfe]);
      await deployment.direct.set(`${prefix}binary`, bytes);
      await deployment.direct.lpush(`${prefix}list`, 'x');
      const read = valueReader(redis);
      const [binary, list] = await read([`${prefix}binary`, `${prefix}list`]);
      expect(binary).toMatchObject({ type: 'string', bytes });
      expect(list).toEqual({ type: 'other', name: 'list' });
      const replaceAll = valueReplacer(redis, 'c');
      for (const [key, expected] of [
        [`${prefix}binary`, binary],
        [`${prefix}list`, list],
      ] as const) {
        expect(expected && (await Promise.all(replaceAll([{ key, expected, next: 'x' }])))).toEqual([true]);
        expect(await deployment.direct.get(key)).toBe('x');
      }
    });

    test('publish each key that was written, and none that was not', async () => {
      const published: string[] = [];
      await deployment.subscriber.subscribe(`${prefix}changes`);
      deployment.subscriber.on('message', (_, changed: string) => published.push(changed));
      const [key, last] = [`${prefix}published`, `${prefix}last`];
      await replace({ type: 'none' }, 'a', key);
      await replace({ type: 'none' }, 'b', key);
      await replace({ type: 'string', text: 'a' }, undefined, key);
      await replace({ type: 'none' }, 'a', last);
      // In a cluster, keys written before the subscription may be published after it, by another node.
      const relevant = () => published.filter((changed) => changed === key || changed === last);
      await eventually(
        () => relevant().length >= 3,
        () => `published: ${published}`,
      );
      expect(relevant().sort()).toEqual([last, key, key]);
    });

    test('publish each set that they change, and no other', async () => {
      const published: string[] = [];
      await deployment.subscriber.subscribe(`${prefix}sets`);
      deployment.subscriber.on('message', (channel, key: string) => channel === `${prefix}sets` && published.push(key));
      const sets = openSets(redis, `${prefix}sets`);
      const member = (name: string) => ({ key: `${prefix}members:${name}`, member: 'a' });
      for (const change of [sets.add, sets.add, sets.remove, sets.remove]) await change([member('x'), member('y')]);
      await sets.add([member('last')]);
      // In a cluster, another node may publish the last one first.
      await eventually(
        () => published.length >= 5,
        () => `published: ${published}`,
      );
      const [last, x, y] = ['last', 'x', 'y'].map((name) => member(name).key);
      expect(published.sort()).toEqual([last, x, x, y, y]);
    });

    test('add and remove members of sets, replacing values of other types', async () => {
      const sets = openSets(redis, `${prefix}changes`);
      await deployment.direct.set(`${keys[0]}:set`, 'not a set');
      await sets.add(
        keys.flatMap((key) => [
          { key: `${key}:set`, member: 'a' },
          { key: `${key}:set`, member: 'b' },
        ]),
      );
      await sets.remove(keys.map((key) => ({ key: `${key}:set`, member: 'a' })));
      await deployment.direct.set(`${prefix}text`, 'not a set');
      await sets.remove([{ key: `${prefix}text`, member: 'a' }]);
      const members = await sets.members([...keys.map((key) => `${key}:set`), `${prefix}text`, `${prefix}none`]);
      expect(members).toEqual([...keys.map(() => ['b']), [], []]);
    });
  });
}

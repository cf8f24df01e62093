import { afterAll, describe, expect, test } from 'vitest';
import { OAuthError } from '../../../src/oauth/oauth-error.ts';
import { describeWith } from '../../support/describe-with.ts';
import { freePort } from '../../support/free-port.ts';
import { connectRedis, keyPrefix, redisUrl } from '../../support/redis.ts';
import { openRedisRegistry } from '../../support/redis-registry.ts';
import { slowdown } from '../../support/slowdown.ts';

const records = [
  { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a', scope: 'x y' },
];

describeWith(['redis-server'], 'a registry over Redis', () => {
  const prefix = keyPrefix();
  const open = async (url: string) => (await openRedisRegistry(url, { prefix })).registry;
  const { client: redis, close } = connectRedis();
  afterAll(close);

  describe('a poisoned value is not a match', () => {
    const poisons: [string, (key: string) => Promise<unknown>][] = [
      ['not valid JSON', (key) => redis.set(key, '{"client_id":')],
      ['not a record', (key) => redis.set(key, '[]')],
      ['empty', (key) => redis.set(key, '')],
      ['binary', (key) => redis.set(key, Buffer.from([0xff, 0x00, 0xfe]))],
      ['the record of another client', (key) => redis.set(key, JSON.stringify(records[0]))],
      [
        'a record with a error',
        (key) => redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison', scopes: 'x' })),
      ],
      [
        'not valid UTF-8',
        (key) =>
          redis.set(
            key,
            Buffer.from(JSON.stringify({ ...records[0], client_id: 'poison', client_name: 'ä' }), 'latin1'),
          ),
      ],
      [
        'a number that JSON cannot represent',
        (key) =>
          redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison' }).replace('{', '{"claims":{"x":1e400},')),
      ],
      [
        'a name that stands twice',
        (key) => redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison' }).replace('{', '{"scope":"z",')),
      ],
      ['a list', (key) => redis.lpush(key, 'x')],
      ['a hash', (key) => redis.hset(key, 'client_id', 'poison')],
      [
        'a record with more errors than anybody reads',
        (key) =>
          redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison', scope: 'é '.repeat(10_000).trim() })),
      ],
      ['deep', (key) => redis.set(key, `${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
    ];
    test.each(poisons)('%s', async (_, poison) => {
      await redis.set(`${prefix}client:a`, JSON.stringify(records[0]));
      const registry = await open(redisUrl());
      const key = `${prefix}client:poison`;
      await redis.del(key);
      await poison(key);
      expect(await registry.find('a')).toBeDefined();
      await expect(registry.find('poison')).rejects.toThrow(expect.objectContaining({ code: 'invalid_client' }));
      const { reason } = await registry.find('poison').catch((error) => error);
      expect(reason).toContain(`${key} is not a client record`);
      expect(reason.length).toBeLessThan(1_200);
      await registry.close();
    });
  });

  test('a record is found in the database that the URL names, and in no other', async () => {
    const inSeven = new URL(redisUrl());
    inSeven.pathname = '/7';
    const registry = await open(inSeven.href);
    expect(await registry.find('a')).toBeUndefined();
    await redis.select(7);
    await redis.set(`${prefix}client:a`, JSON.stringify(records[0]));
    expect(await registry.find('a')).toBeDefined();
    await redis.del(`${prefix}client:a`);
    await redis.select(0);
    await registry.close();
  });

  test('a database that the server does not have is 503, not another database', async () => {
    const missing = new URL(redisUrl());
    missing.pathname = '/9999';
    const registry = await open(missing.href);
    await expect(registry.find('a')).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      reason: expect.stringContaining('DB index is out of range'),
    });
    await registry.close();
  });

  test('a server that is away is 503, at once, and never "no such client"', async () => {
    const url = `redis://user:secret@127.0.0.1:${await freePort()}`;
    const { registry, problems } = await openRedisRegistry(url, { prefix });
    const started = performance.now();
    const asking = registry.find('a');
    await expect(asking).rejects.toThrow(OAuthError);
    await expect(asking).rejects.toMatchObject({ code: 'temporarily_unavailable', headers: { 'retry-after': '1' } });
    expect(performance.now() - started).toBeLessThan(1000 * slowdown());
    expect(registry.description).not.toContain('secret');
    expect(problems.at(-1)).toContain('ECONNREFUSED');
    await registry.close();
  });
});

import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { OAuthError } from '../../../src/oauth/oauth-error.ts';
import { commandsOf } from '../../support/commands-of-redis.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { durationOf, expectWithin } from '../../support/expect-within.ts';
import { freePort } from '../../support/free-port.ts';
import { programPath } from '../../support/program-path.ts';
import { connectRedis, keyPrefix, redisUrl } from '../../support/redis.ts';
import { openRedisRegistry } from '../../support/redis-registry.ts';
import { startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const records = [
  { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a', scope: 'x y' },
];

describeWith(['redis-server'], 'a Redis registry', () => {
  const prefix = keyPrefix();
  const open = async (url: string) => (await openRedisRegistry(url, { prefix })).registry;
  const { client: redis, close } = connectRedis();
  afterAll(close);

  test('executes no command for a cached client', async () => {
    const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    onTestFinished(async () => void (await server.stop()));
    const { client, close } = connectRedis(server.url);
    onTestFinished(close);
    await client.set(`${prefix}client:a`, JSON.stringify(records[0]));
    const registry = await open(server.url);
    onTestFinished(() => registry.close());
    const findOften = async () => {
      const before = await commandsOf(client);
      for (let times = 0; times < 1_000; times++) expect((await registry.find('a'))?.clientId).toBe('a');
      return (await commandsOf(client)) - before;
    };
    // The client is loaded again when the invalidation feed has connected.
    let executed = Number.NaN;
    await eventually(
      async () => {
        executed = await findOften();
        return executed === 0;
      },
      () => `${executed} commands for 1,000 lookups`,
    );
  });

  describe('rejects with invalid_client if the value is', () => {
    const invalidValues: [string, (key: string) => Promise<unknown>][] = [
      ['invalid JSON', (key) => redis.set(key, '{"client_id":')],
      ['an empty array', (key) => redis.set(key, '[]')],
      ['empty', (key) => redis.set(key, '')],
      ['binary', (key) => redis.set(key, Buffer.from([0xff, 0x00, 0xfe]))],
      ['the record of another client', (key) => redis.set(key, JSON.stringify(records[0]))],
      [
        'a record with an error',
        (key) => redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison', scopes: 'x' })),
      ],
      [
        'invalid UTF-8',
        (key) =>
          redis.set(
            key,
            Buffer.from(JSON.stringify({ ...records[0], client_id: 'poison', client_name: 'ä' }), 'latin1'),
          ),
      ],
      [
        'a record with a number that JSON cannot represent',
        (key) =>
          redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison' }).replace('{', '{"claims":{"x":1e400},')),
      ],
      [
        'a record with a duplicate key',
        (key) => redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison' }).replace('{', '{"scope":"z",')),
      ],
      ['a Redis list', (key) => redis.lpush(key, 'x')],
      ['a Redis hash', (key) => redis.hset(key, 'client_id', 'poison')],
      [
        'a record with thousands of errors',
        (key) =>
          redis.set(key, JSON.stringify({ ...records[0], client_id: 'poison', scope: 'é '.repeat(10_000).trim() })),
      ],
      ['deeply nested', (key) => redis.set(key, `${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
    ];
    test.each(invalidValues)('%s', async (_, write) => {
      await redis.set(`${prefix}client:a`, JSON.stringify(records[0]));
      const registry = await open(redisUrl());
      const key = `${prefix}client:poison`;
      await redis.del(key);
      await write(key);
      expect(await registry.find('a')).toBeDefined();
      await expect(registry.find('poison')).rejects.toThrow(expect.objectContaining({ error: 'invalid_client' }));
      const { reason } = await registry.find('poison').catch((error) => error);
      expect(reason).toContain(`${key} is not a client record`);
      expect(reason.length).toBeLessThan(1_200);
      await registry.close();
    });
  });

  test('reads only the database that the URL names', async () => {
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

  test('rejects with 503 if the database does not exist', async () => {
    const missing = new URL(redisUrl());
    missing.pathname = '/9999';
    const registry = await open(missing.href);
    await expect(registry.find('a')).rejects.toMatchObject({
      error: 'temporarily_unavailable',
      reason: expect.stringContaining('DB index is out of range'),
    });
    await registry.close();
  });

  test('rejects with 503 at once if the server is unreachable', async () => {
    const url = `redis://user:secret@127.0.0.1:${await freePort()}`;
    const { registry, problems } = await openRedisRegistry(url, { prefix });
    await expectWithin(1_000, () =>
      durationOf(async () => {
        const lookup = registry.find('a');
        await expect(lookup).rejects.toThrow(OAuthError);
        await expect(lookup).rejects.toMatchObject({
          error: 'temporarily_unavailable',
          headers: { 'retry-after': '1' },
        });
      }),
    );
    expect(registry.description).not.toContain('secret');
    expect(problems.at(-1)).toContain('ECONNREFUSED');
    await registry.close();
  });
});

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type CrlCache, CrlCacheError } from '../../../src/pki/crl/crl-cache.ts';
import { pollCrlUrl } from '../../../src/pki/crl/poll-crl-url.ts';
import { createRedisCrlCache } from '../../../src/pki/crl/redis-crl-cache.ts';
import { openRedis } from '../../../src/redis/connection.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { startCrlServer } from '../../support/crl-server.ts';
import { describeWith } from '../../support/describe-with.ts';
import { connectRedis, keyPrefix, type RedisConnection, redisUrl } from '../../support/redis.ts';
import { crlAclRules, serverAclRule } from '../../support/server-acl.ts';

const URL_OF_CRL = 'http://ca.example/crl';

describeWith(['redis-server'], 'the cache of CRLs in Redis', () => {
  let admin: RedisConnection;
  beforeAll(() => {
    admin = connectRedis();
  });
  afterAll(() => admin?.close());

  /** A cache of a user with the documented ACL and, if stated, the rules for CRLs. */
  async function openCache(crlRules: (prefix: string) => string, database = 0) {
    const prefix = keyPrefix();
    const user = prefix.replaceAll(':', '-');
    const rules = `${serverAclRule(prefix, 'secret')} ${crlRules(prefix)}`.trim().split(' ');
    await admin.client.call('ACL', 'SETUSER', user, ...rules.slice(1));
    const url = new URL(redisUrl());
    [url.username, url.password, url.pathname] = [user, 'secret', `/${database}`];
    const connection = await openRedis({
      address: parseRedisUrl(url.href),
      tls: {},
      commandTimeoutMilliseconds: 5_000,
      onStatusChange: () => {},
    });
    const refusals: string[] = [];
    const cache = createRedisCrlCache(connection, prefix, (reason) => refusals.push(reason));
    onTestFinished(async () => {
      cache.close();
      await admin.client.call('ACL', 'DELUSER', user);
    });
    return { cache, prefix, refusals };
  }

  const lockKey = async (prefix: string) => (await admin.client.keys(`${prefix}crl:*:lock`))[0] ?? '';

  test('stores content and locks a URL with the documented ACL', async () => {
    const { cache, prefix, refusals } = await openCache(crlAclRules);
    expect(await cache.find(URL_OF_CRL)).toBeUndefined();
    let isExcluded = true;
    await cache.withLock(URL_OF_CRL, async () => {
      await cache.withLock(URL_OF_CRL, async () => {
        isExcluded = false;
      });
      await cache.store(URL_OF_CRL, Buffer.of(1, 0xff), 1_000);
    });
    expect(isExcluded).toBe(true);
    expect(await cache.find(URL_OF_CRL)).toMatchObject({ fetchedAt: 1_000 });
    expect(Buffer.from((await cache.content(URL_OF_CRL)) ?? [])).toEqual(Buffer.of(1, 0xff));
    expect([await lockKey(prefix), refusals]).toEqual(['', []]);
  });

  test('does not release a lock that another replica holds by now', async () => {
    const { cache, prefix } = await openCache(crlAclRules);
    await cache.withLock(URL_OF_CRL, async () => {
      await admin.client.set(await lockKey(prefix), 'another replica');
    });
    expect(await admin.client.get(await lockKey(prefix))).toBe('another replica');
  });

  test('reports a command of a transaction that fails', async () => {
    const { cache, prefix, refusals } = await openCache(crlAclRules);
    await cache.store(URL_OF_CRL, Buffer.of(1), 1_000);
    const [key = ''] = await admin.client.keys(`${prefix}crl:*`);
    await admin.client.set(key, 'of another type');
    await expect(cache.store(URL_OF_CRL, Buffer.of(2), 2_000)).rejects.toThrow(CrlCacheError);
    expect(refusals).toEqual([expect.stringContaining('WRONGTYPE')]);
  });

  test('sends no command while Redis refuses SELECT, since it would reach database 0', async () => {
    const { cache, prefix } = await openCache(crlAclRules, 1);
    expect(await contentPolledThrough(cache)).toEqual([['the CRL'], [undefined]]);
    for (const use of [cache.find(URL_OF_CRL), cache.content(URL_OF_CRL), cache.store(URL_OF_CRL, Buffer.of(1), 1_000)])
      await expect(use).rejects.toThrow(/lacks \+select/);
    expect(await admin.client.keys(`${prefix}*`)).toEqual([]);
  });

  test.each<[string, (prefix: string) => string]>([
    ['no command on its keys', () => ''],
    ['no scripts', (prefix) => crlAclRules(prefix).replace(' +eval +evalsha', '')],
    ['no transactions', (prefix) => crlAclRules(prefix).replace(' +multi +exec', '')],
  ])('is not used by a replica whose ACL permits %s: the replica fetches for itself', async (_, rules) => {
    const { cache, refusals } = await openCache(rules);
    expect(await contentPolledThrough(cache)).toEqual([['the CRL'], [undefined]]);
    expect(refusals.join()).toMatch(/ACL/);
  });
});

/** The contents that one poll loads, and what it reports. */
async function contentPolledThrough(cache: CrlCache) {
  const [contents, statuses]: [string[], (string | undefined)[]] = [[], []];
  const server = await startCrlServer(Buffer.from('the CRL'));
  const abort = new AbortController();
  const { firstAttempt } = pollCrlUrl({
    url: server.url,
    intervalMilliseconds: 60_000,
    cache,
    load: async (content) => void contents.push(Buffer.from(content).toString()),
    onStatus: (problem) => statuses.push(problem),
    now: Date.now,
    signal: abort.signal,
  });
  await firstAttempt;
  abort.abort();
  await server.stop();
  return [contents, statuses];
}

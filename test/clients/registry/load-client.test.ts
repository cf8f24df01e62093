import { afterAll, expect, test } from 'vitest';
import { createDataLossDetector } from '../../../src/clients/registry/data-loss.ts';
import { loadClient } from '../../../src/clients/registry/load-client.ts';
import { openRedis } from '../../../src/redis/connection.ts';
import { GuardedRedis } from '../../../src/redis/guarded-redis.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { connectRedis, keyPrefix, redisUrl } from '../../support/redis.ts';

const record = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };

describeWith(['redis-server'], 'a load of a client', () => {
  const { client: admin, close } = connectRedis();
  afterAll(close);

  test('finds a record that was restored between its first read and the read of the marker', async () => {
    const prefix = keyPrefix();
    const { connection, redis } = await open();
    const detector = createDataLossDetector(redis, `${prefix}registry`, () => {});
    const restoreFirst = async () => {
      await admin.set(`${prefix}client:a`, JSON.stringify(record));
      await admin.set(`${prefix}registry`, '{"format":1}');
      return detector.hasLostData();
    };
    const dataLoss = { hasLostData: restoreFirst };
    const options = { redis, prefix: `${prefix}client:`, dataLoss, policy: defaultPolicy, now: Date.now };
    expect(await loadClient('a', options)).toMatchObject({ kind: 'present', value: { client: { clientId: 'a' } } });
    expect(await loadClient('b', options)).toMatchObject({ kind: 'absent', value: { kind: 'none' } });
    connection.close();
  });
});

async function open() {
  const options = { address: parseRedisUrl(redisUrl()), tls: {}, commandTimeoutMilliseconds: 5_000 };
  const connection = await openRedis({ ...options, onStatusChange: () => {} });
  return { connection, redis: new GuardedRedis(connection, () => {}) };
}

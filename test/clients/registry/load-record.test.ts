import { afterAll, expect, test } from 'vitest';
import type { Client } from '../../../src/clients/client.ts';
import { createDataLossDetector } from '../../../src/clients/registry/data-loss.ts';
import { loadRecord, type RecordSource } from '../../../src/clients/registry/load-record.ts';
import { parseStoredRecord } from '../../../src/clients/stored-record.ts';
import { openRedis } from '../../../src/redis/connection.ts';
import { GuardedRedis } from '../../../src/redis/guarded-redis.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { connectRedis, keyPrefix, redisUrl } from '../../support/redis.ts';

const record = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };

describeWith(['redis-server'], 'a load of a record', () => {
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
    const source: RecordSource<Client> = {
      kind: 'client',
      redis,
      execute: redis.execute,
      prefix: `${prefix}client:`,
      parse: (clientId, value) => {
        const parsed = parseStoredRecord(clientId, value, defaultPolicy, Date.now());
        return parsed.ok ? { ok: true, record: parsed.client } : parsed;
      },
      dataLoss,
    };
    expect(await loadRecord('a', source)).toMatchObject({ kind: 'present', value: { record: { clientId: 'a' } } });
    expect(await loadRecord('b', source)).toMatchObject({ kind: 'absent', value: { kind: 'none' } });
    connection.close();
  });
});

async function open() {
  const options = { address: parseRedisUrl(redisUrl()), tls: {}, commandTimeoutMilliseconds: 5_000 };
  const connection = await openRedis({ ...options, onStatusChange: () => {} });
  return { connection, redis: new GuardedRedis(connection, { onProblem: () => {}, onCommand: () => {} }) };
}

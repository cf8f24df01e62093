import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlan } from '../../src/administration/plan.ts';
import type { RecordStore } from '../../src/administration/record-store.ts';
import { listRecords } from '../../src/administration/stored-records.ts';
import { describeWith } from '../support/describe-with.ts';
import { defaultPolicy } from '../support/policy.ts';
import { type OpenedStore, openStore } from '../support/record-store.ts';
import { keyPrefix } from '../support/redis.ts';
import { type ClusterDeployment, startClusterDeployment } from '../support/redis-cluster.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const options = { policy: defaultPolicy, now: Date.now(), progress: () => {} };
const record = (client_id: string) =>
  JSON.stringify({ client_id, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: client_id });

async function listed(store: RecordStore): Promise<string[]> {
  const found = [];
  for await (const { clientId } of listRecords(store, options)) found.push(clientId);
  return found;
}

async function pruned(store: RecordStore): Promise<string[]> {
  const file = join(temporaryDirectory(), 'clients.json');
  writeFileSync(file, '[]');
  const { changes } = await makePlan([file], store, { ...options, prune: true });
  return [...changes.batches(100)].flat().map(({ id }) => id);
}

describeWith(['redis-server'], 'the records in Redis', () => {
  test('are the values whose keys end in a valid client_id', async () => {
    const opened = await openStore(keyPrefix());
    const ids = ['a', ' ', '*', 'x'.repeat(255), '__proto__'];
    for (const id of [...ids, '', 'ä', 'a\nb', 'a\u0000', '\u007f', 'x'.repeat(256)]) {
      await opened.redis.set(opened.key(id), record(id));
    }
    expect(await listed(opened.store)).toEqual([...ids].sort());
    expect((await pruned(opened.store)).sort()).toEqual([...ids].sort());
    opened.close();
  });
});

describeWith(['redis-server'], 'a record that SCAN returns twice while a Cluster migrates its slot', () => {
  let cluster: ClusterDeployment;
  let opened: OpenedStore;
  beforeAll(async () => {
    cluster = await startClusterDeployment({ directory: temporaryDirectory() });
    opened = await openStore('countersign:', `redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}`);
    await startMigration(opened.key('a'));
  });
  afterAll(async () => {
    opened?.close();
    await cluster?.stop();
  });

  /** Writes a record on the node that owns its key, and on the node that imports its slot. */
  async function startMigration(key: string): Promise<void> {
    const owner = await cluster.masterOfKey(key);
    const next = cluster.nodes.find((node) => node !== owner);
    const slot = String(await sendRedisCommand(owner.port, ['CLUSTER', 'KEYSLOT', key]));
    await sendRedisCommand(owner.port, ['SET', key, record('a')]);
    const id = String(await sendRedisCommand(owner.port, ['CLUSTER', 'MYID']));
    const port = next?.port ?? 0;
    await sendRedisCommand(port, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', id]);
    const redis = new Redis(port);
    await redis.pipeline().asking().set(key, record('a')).exec();
    redis.disconnect();
  }

  test.each([
    ['listed', listed],
    ['pruned', pruned],
  ])('is %s once', async (_, idsOf) => {
    const scanned = [];
    for await (const part of opened.store.scanIds('client')) scanned.push(...part);
    expect(scanned).toEqual(['a', 'a']);
    expect(await idsOf(opened.store)).toEqual(['a']);
  });
});

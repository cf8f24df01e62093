import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { changeRecord, removeRecord } from '../../src/administration/change-record.ts';
import { makePlan } from '../../src/administration/plan.ts';
import { clientKey } from '../../src/resources/record-types.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { type OpenedStore, openStore } from '../support/record-store.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const named = (name: string, more: object = {}) => ({
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: name,
  ...more,
});

describeWith(['redis-server'], 'concurrent access to a record', () => {
  let prefix: string;
  let opened: OpenedStore;
  beforeAll(async () => {
    prefix = keyPrefix();
    opened = await openStore(prefix);
  });
  afterAll(() => opened?.close());
  beforeEach(async () => {
    const keys = await opened.redis.keys(`${prefix}*`);
    if (keys.length > 0) await opened.redis.del(keys);
  });

  const plan = (record: object) => {
    const file = join(temporaryDirectory(), 'clients.json');
    writeFileSync(file, JSON.stringify([record]));
    const options = { policy: defaultPolicy, now: Date.now(), progress: () => {}, prune: false };
    return makePlan([file], opened.store, options);
  };
  const apply = async (record: object) => applyPlan((await plan(record)).changes, opened.store, () => {});
  const theRecord = async () => JSON.parse((await opened.redis.get(opened.key('a'))) ?? 'null');
  const names = async () => (await opened.redis.keys(`${prefix}identity:*`)).length;

  /** Commands that write under our prefix from now on, in the order of Redis: `SET client`, `SADD identity`. */
  async function recordWrites(): Promise<string[]> {
    const found: string[] = [];
    // Not by ioredis: on a shared Redis, output may arrive together with the reply to MONITOR.
    const socket = createConnection(Number(new URL(redisUrl()).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('MONITOR\r\n');
    const lines = createInterface(socket);
    lines.on('line', (line) => {
      const [, verb = '', key = ''] = /^\+\S+ \[[^\]]*\] "(SADD|SET|SREM)" "([^"]*)"/i.exec(line) ?? [];
      if (key.startsWith(prefix)) found.push(`${verb.toUpperCase()} ${key.slice(prefix.length).split(':')[0]}`);
    });
    await once(lines, 'line');
    return found;
  }

  test('apply indexes a new identity before the record has it, and the old one until the record lost it', async () => {
    await apply(named('old'));
    const found = await recordWrites();
    await apply(named('new'));
    await eventually(
      () => found.length >= 3,
      () => `${found}`,
    );
    expect(found).toEqual(['SADD identity', 'SET client', 'SREM identity']);
  });

  test('apply keeps the index entries of a client that it did not write', async () => {
    await apply(named('old'));
    const { changes } = await plan(named('new'));
    const theirs = named('old', { scope: 'theirs' });
    await opened.redis.set(opened.key('a'), JSON.stringify(theirs));
    expect(await applyPlan(changes, opened.store, () => {})).toMatchObject({ written: 0, conflicts: [clientKey('a')] });
    expect(await theRecord()).toEqual(theirs);
    // The entry of the new name is stale.
    expect(await names()).toBe(2);
    expect((await plan(theirs)).changes.count).toBe(0);
  });

  /** The record is written by others this many times between our read and our write. */
  async function disableDuring(concurrentWrites: number) {
    await apply(named('a'));
    let writes = 0;
    const read: typeof opened.store.read = async (clientIds) => {
      const seen = await opened.store.read(clientIds);
      if (writes < concurrentWrites) {
        writes += 1;
        await opened.redis.set(opened.key('a'), JSON.stringify(named('a', { scope: `s${writes}` })));
      }
      return seen;
    };
    return changeRecord({ ...opened.store, read }, 'a', (record) => ({ ...record, enabled: false }));
  }

  test('a change is retried on the record that others wrote', async () => {
    expect(await disableDuring(4)).toEqual({ outcome: 'written' });
    expect(await theRecord()).toEqual(named('a', { scope: 's4', enabled: false }));
  });

  test('a change fails after five concurrent writes', async () => {
    const reason = 'was changed by another writer during 5 attempts; try again';
    expect(await disableDuring(5)).toEqual({ outcome: 'failed', reason });
    expect(await theRecord()).toEqual(named('a', { scope: 's5' }));
  });

  test('disable, enable and remove do not write the marker', async () => {
    await opened.redis.set(opened.key('a'), JSON.stringify(named('a')));
    const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
    for (const verb of ['disable', 'enable', 'remove']) {
      const { code, stdout } = await runCountersign(['clients', verb, 'a'], { env });
      expect(`${verb} ${code} ${stdout}`).toMatch(/^\w+ 0 /);
      expect(await opened.redis.exists(`${prefix}registry`)).toBe(0);
    }
    expect(await opened.redis.exists(opened.key('a'))).toBe(0);
  });

  test('disable and remove of a missing client warn about cached clients when the marker is missing', async () => {
    const [reason, reasonWithoutMarker] = [
      'is not in Redis',
      /^is not in Redis, and neither is the marker: .* servers keep serving/,
    ];
    const disable = () => changeRecord(opened.store, 'a', (record) => ({ ...record, enabled: false }));
    const remove = () => removeRecord(opened.store, clientKey('a'), defaultPolicy);
    await opened.redis.set(`${prefix}registry`, 'x');
    for (const attempt of [disable, remove]) expect(await attempt()).toEqual({ outcome: 'failed', reason });
    await opened.redis.del(`${prefix}registry`);
    for (const attempt of [disable, remove]) {
      expect(await attempt()).toEqual({ outcome: 'failed', reason: expect.stringMatching(reasonWithoutMarker) });
    }
  });
});

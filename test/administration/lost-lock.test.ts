import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ApplyLock } from '../../src/administration/apply-lock.ts';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { lockedStore } from '../../src/administration/locked-store.ts';
import { makePlan } from '../../src/administration/plan.ts';
import type { RecordStore } from '../../src/administration/record-store.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { openStore } from '../support/record-store.ts';
import { keyPrefix } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COUNT = 3_000;

describeWith(['redis-server'], 'a lock that is lost while apply writes', () => {
  const line = (index: number) =>
    `{"client_id":"c${index}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"c${index}"}\n`;
  const isLost = (lock: ApplyLock) => {
    try {
      lock.requireHeld();
      return false;
    } catch {
      return true;
    }
  };
  /** From the tenth batch on, each waits before it is written. */
  const slow = (store: RecordStore, meanwhile: () => Promise<unknown>): RecordStore => {
    let batches = 0;
    return {
      ...store,
      addIndexEntries: async (entries) => {
        batches += 1;
        if (batches >= 10) await meanwhile();
        return store.addIndexEntries(entries);
      },
    };
  };

  test('stops apply, which reports how many clients were written', async () => {
    const prefix = keyPrefix();
    const opened = await openStore(prefix);
    onTestFinished(opened.close);
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, Array.from({ length: COUNT }, (_, index) => line(index)).join(''));
    const lock = opened.newLock();
    await lock.acquire(() => {});
    const options = { policy: defaultPolicy, now: Date.now(), progress: () => {}, prune: false };
    const { changes } = await makePlan([file], opened.store, options);
    const store = slow(opened.store, async () => {
      await opened.redis.set(`${prefix}apply`, 'another');
      await eventually(
        () => isLost(lock),
        () => 'the loss was not noticed',
      );
    });
    const failure = applyPlan(
      changes,
      lockedStore(store, lock, () => {}),
      () => {},
    );
    const message = await failure.then(
      () => '',
      (error: Error) => error.message,
    );
    const found = await opened.redis.keys(`${prefix}client:*`);
    expect(found.length).toBeGreaterThanOrEqual(200);
    expect(found.length).toBeLessThanOrEqual(9 * 200);
    expect(message).toBe(
      `${prefix}apply in Redis no longer belongs to this run: another apply may be writing now, or Redis has lost its data\n` +
        `${found.length} of ${COUNT} records were written; running the command again writes the rest`,
    );
    await lock.release();
    expect(await opened.redis.get(`${prefix}apply`)).toBe('another');
    expect(await opened.redis.exists(`${prefix}registry`)).toBe(0);
  });

  test('prevents the marker when Redis has lost its data in the meantime', async () => {
    const prefix = keyPrefix();
    const opened = await openStore(prefix);
    onTestFinished(opened.close);
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, line(1));
    const lock = opened.newLock();
    onTestFinished(() => lock.release());
    const emptied: RecordStore = {
      ...opened.store,
      removeIndexEntries: async () => void (await opened.redis.del(await opened.redis.keys(`${prefix}*`))),
    };
    const store = lockedStore(emptied, lock, () => {});
    const options = { policy: defaultPolicy, now: Date.now(), progress: () => {}, prune: false };
    const { changes } = await makePlan([file], store, options);
    await expect(applyPlan(changes, store, () => {})).rejects.toThrow('Redis has lost its data');
    expect(await opened.redis.keys(`${prefix}*`)).toEqual([]);
  });
});

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
import { usualPolicy } from '../support/policy.ts';
import { openStore } from '../support/record-store.ts';
import { keyPrefix } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COUNT = 3_000;

describeWith(['redis-server'], 'a turn that is taken away in the middle of an apply', () => {
  const line = (index: number) =>
    `{"client_id":"c${index}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"c${index}"}\n`;
  const isLost = (lease: ApplyLock) => {
    try {
      lease.requireHeld();
      return false;
    } catch {
      return true;
    }
  };
  /** From the tenth part on, each waits before it is written. */
  const slow = (store: RecordStore, meanwhile: () => Promise<unknown>): RecordStore => {
    let parts = 0;
    return {
      ...store,
      addIndexEntries: async (entries) => {
        parts += 1;
        if (parts >= 10) await meanwhile();
        return store.addIndexEntries(entries);
      },
    };
  };

  test('ends it, which says how many were written, and they are', async () => {
    const prefix = keyPrefix();
    const opened = await openStore(prefix);
    onTestFinished(opened.close);
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, Array.from({ length: COUNT }, (_, index) => line(index)).join(''));
    const lease = opened.newLock();
    await lease.acquire(() => {});
    const options = { policy: usualPolicy, now: Date.now(), progress: () => {}, prune: false };
    const { changes } = await makePlan([file], opened.store, options);
    const store = slow(opened.store, async () => {
      await opened.redis.set(`${prefix}apply`, 'another');
      await eventually(
        () => isLost(lease),
        () => 'nobody noticed',
      );
    });
    const failure = applyPlan(
      changes,
      lockedStore(store, lease, () => {}),
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
      `${prefix}apply in Redis is not this run's any more: another apply may write now, or Redis has lost what it held\n` +
        `${found.length} of ${COUNT} clients were written; running the command again writes the rest`,
    );
    await lease.release();
    expect(await opened.redis.get(`${prefix}apply`)).toBe('another');
    expect(await opened.redis.exists(`${prefix}registry`)).toBe(0);
  });

  test('leaves no marker where Redis has lost everything meanwhile, so that servers know', async () => {
    const prefix = keyPrefix();
    const opened = await openStore(prefix);
    onTestFinished(opened.close);
    const file = join(temporaryDirectory(), 'clients.jsonl');
    writeFileSync(file, line(1));
    const lease = opened.newLock();
    onTestFinished(() => lease.release());
    const emptied: RecordStore = {
      ...opened.store,
      removeIndexEntries: async () => void (await opened.redis.del(await opened.redis.keys(`${prefix}*`))),
    };
    const store = lockedStore(emptied, lease, () => {});
    const options = { policy: usualPolicy, now: Date.now(), progress: () => {}, prune: false };
    const { changes } = await makePlan([file], store, options);
    await expect(applyPlan(changes, store, () => {})).rejects.toThrow('Redis has lost what it held');
    expect(await opened.redis.keys(`${prefix}*`)).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { runCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { programPath } from '../support/program-path.ts';
import { startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SECONDS = 8;
const WINDOWS = 3;
/** A PING, with what happens every second, and its reply, three times a second each; what Node.js does itself; and noise. */
const MAX_WAKE_UPS_PER_SECOND = 9;

describeWith(['redis-server'], 'an idle replica', () => {
  test('sends at most four commands a second to Redis, and wakes up for little else', async () => {
    const redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    onTestFinished(() => void redis.stop());
    const keyring = {
      COUNTERSIGN_REDIS_URL: redis.url,
      COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    };
    expect(await runCountersign(['keys', 'create'], { env: keyring })).toMatchObject({ code: 0 });
    const countersign = await startCountersign({
      env: {
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_CHAIN_VERIFIED_BY: 'header',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        ...keyring,
      },
    });
    onTestFinished(() => void countersign.stop());
    const isTracking = ({ event, mode }: { event?: unknown; mode?: unknown }) =>
      event === 'invalidation_mode_changed' && mode === 'tracking';
    await countersign.waitForEvent(isTracking, 30_000);
    // Compilation continues in other threads, which report back.
    await delay(3_000);
    const admin = new Redis({ port: redis.port });
    onTestFinished(() => admin.disconnect());
    const exceeded: string[] = [];
    // A replica or a Redis that is suspended for a while connects again, and one window of time or another has that as well.
    while (exceeded.length < WINDOWS) {
      const { commands, wakeUps, seconds } = await observe(admin, countersign.pid);
      expect(commands / seconds).toBeGreaterThan(1);
      // One more for each of three connections, which may fall due within the interval.
      if (commands <= 4 * seconds + 3 && wakeUps / seconds < MAX_WAKE_UPS_PER_SECOND) return;
      exceeded.push(`${commands} commands and ${wakeUps} wake-ups in ${seconds.toFixed(1)} s`);
    }
    expect(exceeded).toEqual([]);
  });
});

/** What happens in a few seconds. */
async function observe(admin: Redis, pid: number) {
  const [started, before] = [performance.now(), wakeUpsOf(pid)];
  await admin.config('RESETSTAT');
  await delay(SECONDS * 1_000);
  const statistics = await admin.info('commandstats');
  const seconds = (performance.now() - started) / 1_000;
  const calls = [...statistics.matchAll(/^cmdstat_(?:ping|xrange|get):calls=(\d+)/gm)];
  const commands = calls.reduce((sum, [, count]) => sum + Number(count), 0);
  return { commands, wakeUps: wakeUpsOf(pid) - before, seconds };
}

/** How often its main thread has waited for events. See proc_pid_status(5). */
function wakeUpsOf(pid: number): number {
  const [, count] = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(count);
}

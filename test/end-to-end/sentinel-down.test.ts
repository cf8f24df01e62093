import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { allocateSentinel, type RunningSentinel, startSentinel } from '../support/sentinel-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describeWith(['redis-server'], 'with one of two sentinels down', () => {
  let master: RunningRedis;
  let sentinel: RunningSentinel;
  beforeAll(async () => {
    const directory = temporaryDirectory();
    master = await startRedis({ program: programPath('redis-server'), directory });
    const place = await allocateSentinel();
    const watch = { directory, masterName: 'main', master: master.port, replicas: [], sentinels: [place] };
    sentinel = await startSentinel(place, watch);
  });
  afterAll(async () => {
    await sentinel?.stop();
    await master?.stop();
  });

  test('clients list finds the master through the other one', async () => {
    const down = await freePort();
    for (const sentinels of [
      [sentinel.port, down],
      [down, sentinel.port],
    ]) {
      const places = sentinels.map((port) => `127.0.0.1:${port}`).join(',');
      const env = { COUNTERSIGN_REDIS_URL: `redis+sentinel://${places}/main` };
      const { code, stdout, stderr } = await runCountersign(['clients', 'list'], { env });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('CLIENT_ID');
    }
  });
});

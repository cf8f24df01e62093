import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCountersign, waitingLine } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { onTerminal } from '../support/terminal.ts';

/** Moves the cursor to the start of the line, and erases the line. */
const CLEAR = '\r\u001b[2K';

describeWith(['redis-server', 'python3'], 'the progress bar on a terminal', () => {
  const folder = temporaryDirectory();
  const file = join(folder, 'clients.jsonl');
  const record = (name: string) =>
    JSON.stringify({ client_id: name, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: name });
  let server: RunningRedis;
  let redis: Redis;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis({ program: programPath('redis-server'), directory: folder });
    redis = new Redis(server.url);
    proxy = await startFaultProxy({ target: server });
    // On any machine, the bar is due before the first clients are written.
    proxy.setLatency(60);
    writeFileSync(file, Array.from({ length: 1_000 }, (_, number) => `${record(`c${number}`)}\n`).join(''));
  });
  afterAll(async () => {
    redis?.disconnect();
    await proxy?.stop();
    await server?.stop();
  });

  /** The output on a terminal of this width after apply, which takes two round trips at least. */
  const written = async (columns: number, more = {}) => {
    await redis.flushall();
    const env = { COUNTERSIGN_REDIS_URL: proxy.url, TERM: 'xterm', ...more };
    const apply = spawnCountersign(['clients', 'apply', '-f', file], env, onTerminal(columns));
    expect(await apply.exited).toBe(0);
    return apply.stdout().replace(waitingLine, '');
  };
  const bars = async (columns: number) => {
    const [, ...lines] = (await written(columns)).split(CLEAR);
    // Further output starts on a line of its own.
    expect(lines.at(-1)).toMatch(/^countersign: note: /);
    return lines.filter((line) => line.startsWith('['));
  };

  test('is cut to the width of the terminal, so that it is erased completely', async () => {
    const [line = '', ...others] = await bars(30);
    expect([line.length, line]).toEqual([29, expect.stringMatching(/^\[[#.]{24}\] [\d,]+$/)]);
    for (const other of others) expect(other.length).toBeLessThan(30);
  });

  test('is complete on a wide terminal', async () => {
    const [line] = await bars(100);
    expect(line).toMatch(/^\[[#.]{24}\] [\d,]+ of 1,000 records written/);
  });

  test('is absent on a terminal that cannot erase a line', async () => {
    expect(await written(80, { TERM: 'dumb' })).toMatch(/^countersign: note: .*\s*$/);
  });
});

import { createHash } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { Redis } from 'ioredis';
import { startProgram } from '../../support/child-process.ts';
import { findProgram } from '../../support/programs.ts';
import { startRedis } from '../../support/redis-server.ts';
import { repositoryRoot } from '../../support/repository-root.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import { measureLookups, measureReplicaMemory } from './measure-replica.ts';

/**
 * `npm run benchmark:clients [SIZE…]`: prints the duration and the memory of `countersign clients plan` and `apply` for
 * this many clients, the memory of Redis and of a replica, and the duration of a lookup. It has no thresholds. Default:
 * 1000 100000 1000000.
 */
const sizes = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(tmpdir(), 'cs-scale-'));
try {
  for (const size of sizes.length > 0 ? sizes : [1_000, 100_000, 1_000_000]) await measure(size);
} finally {
  rmSync(directory, { recursive: true });
}

async function measure(size: number): Promise<void> {
  const server = await startRedis({ program: findProgram('redis-server') ?? 'redis-server', directory });
  const redis = new Redis(server.url);
  try {
    const first = await writeClients(size, 'first', () => '');
    const next = await writeClients(size, 'next', (index) => (index % 100 === 0 ? ' more' : ''));
    console.log(`${size} clients, ${first.bytesPerClient} bytes of JSON Lines per client`);
    const before = await usedMemory(redis);
    const run = (name: string, args: readonly string[]) => runClients(name, args, { size, url: server.url });
    await run('plan, all new', ['plan', '-f', first.file]);
    await run('apply, all new', ['apply', '-f', first.file]);
    console.log(`  Redis: ${Math.round(((await usedMemory(redis)) - before) / size)} bytes per client`);
    await run('plan, no changes', ['plan', '-f', first.file, '--prune']);
    await run('apply, 1 % changes', ['apply', '-f', next.file, '--prune']);
    await run('list', ['list']);
    await run('export', ['export', '--output', 'jsonl']);
    const options = { url: server.url, directory, size, clientIdAt };
    await measureReplicaMemory(options);
    await measureLookups(options);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

/** Half of the clients are registered by subject, the others by certificate. */
async function writeClients(size: number, name: string, moreScope: (index: number) => string) {
  const file = join(directory, `${name}-${size}.jsonl`);
  const stream = createWriteStream(file);
  let text = '';
  let bytes = 0;
  for (let index = 0; index < size; index += 1) {
    text += `${JSON.stringify(recordOf(index, `read write${moreScope(index)}`))}\n`;
    if (text.length < 1_000_000 && index < size - 1) continue;
    bytes += text.length;
    if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve));
    text = '';
  }
  stream.end();
  await finished(stream);
  return { file, bytesPerClient: Math.round(bytes / size) };
}

function clientIdAt(index: number): string {
  return `device-${String(index).padStart(7, '0')}`;
}

function recordOf(index: number, scope: string): object {
  const common = { client_id: clientIdAt(index), scope, audience: 'https://api.example' };
  if (index % 2 === 0) {
    const name = `CN=device-${index},OU=production,O=company`;
    return { ...common, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: name };
  }
  const thumbprint = createHash('sha256').update(String(index)).digest('base64url');
  const certificates = [{ thumbprint, not_after: '2030-01-31' }];
  return { ...common, token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates };
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

async function runClients(name: string, args: readonly string[], { size, url }: { size: number; url: string }) {
  const started = performance.now();
  const program = startProgram(process.execPath, [join(repositoryRoot, 'src/main.ts'), 'clients', ...args], {
    env: { COUNTERSIGN_REDIS_URL: url },
  });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMemory(program.pid).peak);
  }, 20);
  const code = await program.exited;
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(size / seconds);
  console.log(`  ${name}: exit code ${code}, ${seconds.toFixed(1)} s, ${rate}/s, ${peak} MiB peak`);
  if (code === 1) throw new Error(program.stderr());
}

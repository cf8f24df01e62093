import { Redis } from 'ioredis';
import { startProgram } from '../../support/child-process.ts';
import { findProgram } from '../../support/programs.ts';
import { startRedis } from '../../support/redis-server.ts';
import type { Case } from '../cases/case.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import type { Table } from '../report/table.ts';
import type { Tree } from '../tree.ts';
import { clientIdAt, writeClients } from './client-files.ts';
import { type LookupTimes, measureLookups, measureReplicaMemory, type ReplicaMemory } from './replica.ts';

const commandNames = [
  'plan, all new',
  'apply, all new',
  'plan, no changes',
  'apply, 1 % changes',
  'list',
  'export',
] as const;
type CommandName = (typeof commandNames)[number];

interface CommandFigures {
  readonly seconds: number;
  readonly peakMebibytes: number;
}

interface AdministrationFigures {
  readonly clients: number;
  readonly bytesPerRecord: number;
  readonly redisBytesPerClient: number;
  readonly commands: Readonly<Record<CommandName, CommandFigures>>;
  readonly replica: ReplicaMemory;
  readonly lookups: LookupTimes;
}

/** Duration and memory of `countersign clients` for many clients, and what they take in Redis and in a replica. */
export const administration: Case = {
  description: 'plan, apply, list and export for many clients (--sizes); not part of a default run',
  run: async ({ sizes, directory, trees: [tree], progress }) => {
    if (!tree) throw new Error('no revision to measure');
    const figures: AdministrationFigures[] = [];
    for (const size of sizes) figures.push(await measure(size, tree, directory, progress));
    return { tables: [commandTable(figures), memoryTable(figures)], figures };
  },
};

async function measure(
  size: number,
  tree: Tree,
  directory: string,
  progress: (text: string) => void,
): Promise<AdministrationFigures> {
  const server = await startRedis({ program: findProgram('redis-server') ?? 'redis-server', directory });
  const redis = new Redis(server.url);
  try {
    const first = await writeClients(directory, size, () => '');
    const next = await writeClients(directory, size, (index) => (index % 100 === 0 ? ' more' : ''));
    const run = (name: CommandName, ...args: readonly string[]) => {
      progress(`${size} clients, ${name}`);
      return runClients(tree, args, server.url);
    };
    const before = await usedMemory(redis);
    const planAll = await run('plan, all new', 'plan', '-f', first.path);
    const applyAll = await run('apply, all new', 'apply', '-f', first.path);
    const redisBytesPerClient = Math.round(((await usedMemory(redis)) - before) / size);
    const commands = {
      'plan, all new': planAll,
      'apply, all new': applyAll,
      'plan, no changes': await run('plan, no changes', 'plan', '-f', first.path, '--prune'),
      'apply, 1 % changes': await run('apply, 1 % changes', 'apply', '-f', next.path, '--prune'),
      list: await run('list', 'list'),
      export: await run('export', 'export', '--output', 'jsonl'),
    };
    progress(`${size} clients, replica`);
    const options = { tree, url: server.url, directory, size, clientIdAt };
    const replica = await measureReplicaMemory(options);
    const lookups = await measureLookups(options);
    return { clients: size, bytesPerRecord: first.bytesPerClient, redisBytesPerClient, commands, replica, lookups };
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** @throws {Error} if the command fails */
async function runClients(tree: Tree, args: readonly string[], url: string): Promise<CommandFigures> {
  const started = performance.now();
  const env = { COUNTERSIGN_REDIS_URL: url };
  const program = startProgram(tree.node, [tree.program, 'clients', ...args], { env });
  let peakMebibytes = 0;
  const timer = setInterval(() => {
    peakMebibytes = Math.max(peakMebibytes, residentMemory(program.pid).peak);
  }, 20);
  const code = await program.exited.finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`clients ${args.join(' ')}: exit code ${code}\n${program.stderr()}`);
  return { seconds: (performance.now() - started) / 1000, peakMebibytes };
}

function commandTable(figures: readonly AdministrationFigures[]): Table {
  return {
    title: 'Administration: duration of countersign clients',
    columns: ['clients', ...commandNames, 'peak memory'],
    rows: figures.map(({ clients, commands }) => [
      String(clients),
      ...commandNames.map((name) => `${commands[name].seconds.toFixed(1)} s`),
      `${Math.max(...commandNames.map((name) => commands[name].peakMebibytes))} MiB`,
    ]),
    notes: figures.slice(0, 1).map(({ bytesPerRecord }) => `Records of ${bytesPerRecord} bytes as JSON Lines.`),
  };
}

function memoryTable(figures: readonly AdministrationFigures[]): Table {
  return {
    title: 'Administration: what clients take in Redis and in a replica',
    columns: ['clients', 'Redis bytes/client', 'replica MiB', 'after all clients', 'lookup miss p50 µs', 'hit p50 µs'],
    rows: figures.map(({ clients, redisBytesPerClient, replica, lookups }) => [
      String(clients),
      String(redisBytesPerClient),
      String(replica.before),
      String(replica.after),
      lookups.miss.toFixed(1),
      lookups.hit.toFixed(1),
    ]),
    notes: [],
  };
}

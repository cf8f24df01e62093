import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.ts';
import { untilItAccepts, type Workload } from '../contenders/contender.ts';
import { startPinned } from '../contenders/pinned-process.ts';
import { clientStore, serveSettings, startRedisWithClients } from '../contenders/serve.ts';
import { prepare } from '../prepare.ts';
import type { Table } from '../report/table.ts';
import type { Target } from '../report/targets.ts';
import type { Tree } from '../tree.ts';
import type { Case } from './case.ts';

interface IdleFigures {
  readonly program: string;
  readonly cpuPercent: number;
  readonly wakeUpsPerSecond: number;
  readonly commandsPerSecond: number;
}

const limits = { cpuPercent: 0.2, commandsPerSecond: 4 };
/**
 * Start-up continues behind the first request: V8 compiles a function after so many calls, and an idle process makes few. The
 * compiler is at work for about four minutes, until nothing is left that is called again and again.
 */
const SETTLED_MILLISECONDS = 300_000;
const MEASURED_SECONDS = 120;

/** A replica of each tree at the same time, so that the machine is the same for all, on Redis, without requests. */
export const idle: Case = {
  description: 'what a replica on Redis costs without requests: CPU time, and commands of Redis',
  run: async ({ directory, cores, trees, progress }) => {
    const { workload } = prepare({ directory, cores, clients: 1, algorithm: 'ES256' });
    const replicas: Replica[] = [];
    try {
      for (const tree of trees) {
        progress(`start ${tree.revision === '' ? 'this tree' : tree.revision}`);
        replicas.push(await startReplica(tree, workload));
      }
      progress('settle');
      await delay(SETTLED_MILLISECONDS);
      progress('measure');
      const figures = await measure(replicas);
      return { tables: [tableOf(figures)], targets: targetsOf(figures), figures };
    } finally {
      for (const { stop } of replicas) await stop();
    }
  },
};

interface Replica {
  readonly program: string;
  readonly pid: number;
  /** Of its Redis. */
  readonly admin: Redis;
  readonly stop: () => Promise<void>;
}

async function startReplica(tree: Tree, workload: Workload): Promise<Replica> {
  const redis = await startRedisWithClients(tree, workload);
  const address = { host: '127.0.0.1', port: await freePort() };
  const env = { ...serveSettings(workload, address.port), ...clientStore(workload, redis) };
  const server = startPinned(tree.node, [tree.program, 'serve'], { core: workload.cores.contender, env });
  const admin = new Redis(redis.url);
  const stop = async () => {
    admin.disconnect();
    await server.stop();
    await redis.process.stop();
  };
  await untilItAccepts('serve', address, server);
  const program = tree.revision === '' ? 'countersign' : `countersign (${tree.revision})`;
  return { program, pid: server.pid, admin, stop };
}

async function measure(replicas: readonly Replica[]): Promise<IdleFigures[]> {
  for (const { admin } of replicas) await admin.config('RESETSTAT');
  const started = performance.now();
  const before = replicas.map(({ pid }) => usageOf(pid));
  await delay(MEASURED_SECONDS * 1_000);
  const seconds = (performance.now() - started) / 1_000;
  const after = replicas.map(({ pid }) => usageOf(pid));
  const commands = await Promise.all(replicas.map(({ admin }) => commandsOf(admin)));
  return replicas.map(({ program }, index) => {
    const used = (name: keyof Usage) => ((after[index]?.[name] ?? 0) - (before[index]?.[name] ?? 0)) / seconds;
    return {
      program,
      cpuPercent: (100 * used('cpuNanoseconds')) / 1e9,
      wakeUpsPerSecond: used('wakeUps'),
      commandsPerSecond: (commands[index] ?? 0) / seconds,
    };
  });
}

/** Without those that this case sends itself. */
async function commandsOf(redis: Redis): Promise<number> {
  const calls = [...(await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const counted = calls.filter(([, name = '']) => !name.startsWith('config'));
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

interface Usage {
  readonly cpuNanoseconds: number;
  /** How often a thread has waited. */
  readonly wakeUps: number;
}

/** Of all threads. The clock ticks of proc_pid_stat(5) are too coarse: at the target, a replica uses twelve in a minute. */
function usageOf(pid: number): Usage {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  const cpuTimes = threads.map((thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]));
  const waits = threads.map((thread) =>
    Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`${thread}/status`, 'utf8'))?.[1]),
  );
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return { cpuNanoseconds: sum(cpuTimes), wakeUps: sum(waits) };
}

function targetsOf([current]: readonly IdleFigures[]): readonly Target[] {
  const { cpuPercent: cpu, commandsPerSecond: commands } = limits;
  return [
    {
      title: 'CPU time of an idle replica',
      limit: cpu,
      measured: current?.cpuPercent ?? Number.NaN,
      unit: '%',
    },
    {
      title: 'commands of an idle replica per second',
      limit: commands,
      measured: current?.commandsPerSecond ?? Number.NaN,
      unit: '',
    },
  ];
}

function tableOf(figures: readonly IdleFigures[]): Table {
  const rows = figures.map(({ program, cpuPercent, wakeUpsPerSecond, commandsPerSecond }) => [
    program,
    `${cpuPercent.toFixed(2)} %`,
    wakeUpsPerSecond.toFixed(1),
    commandsPerSecond.toFixed(1),
  ]);
  const columns = ['program', 'CPU time, of one core', 'wake-ups per second', 'commands of Redis per second'];
  const settled = SETTLED_MILLISECONDS / 1_000;
  const notes = [`Over ${MEASURED_SECONDS} s, ${settled} s after the start, all at the same time.`];
  return { title: 'An idle replica', columns, rows, notes };
}

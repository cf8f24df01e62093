import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.ts';
import { untilItAccepts, type Workload } from '../contenders/contender.ts';
import { startPinned } from '../contenders/pinned-process.ts';
import { clientStore, serveSettings, startRedisWithClients } from '../contenders/serve.ts';
import { prepare } from '../prepare.ts';
import type { Tree } from '../tree.ts';
import type { Case } from './case.ts';

interface IdleFigures {
  readonly program: string;
  readonly cpuPercent: number;
  readonly commandsPerSecond: number;
}

const limits = { cpuPercent: 0.2, commandsPerSecond: 4 };
/** Start-up continues behind the first request: the compiler, the garbage collector. */
const SETTLED_MILLISECONDS = 15_000;
const MEASURED_SECONDS = 30;
/** Of a process, in /proc. */
const TICKS_PER_SECOND = 100;

/** One replica at a time, on Redis, without requests. */
export const idle: Case = {
  description: 'what a replica on Redis costs without requests: CPU time, and commands of Redis',
  run: async ({ directory, cores, trees, progress }) => {
    const { workload } = prepare({ directory, cores, clients: 1, algorithm: 'ES256' });
    const figures: IdleFigures[] = [];
    for (const tree of trees) {
      progress(tree.revision === '' ? 'this tree' : tree.revision);
      figures.push(await measure(tree, workload));
    }
    const [current] = figures;
    const targets = [
      {
        title: 'CPU time of an idle replica',
        limit: limits.cpuPercent,
        measured: current?.cpuPercent,
        unit: '%' as const,
      },
      {
        title: 'commands of an idle replica per second',
        limit: limits.commandsPerSecond,
        measured: current?.commandsPerSecond,
        unit: '' as const,
      },
    ].map((target) => ({ ...target, measured: target.measured ?? Number.NaN }));
    const rows = figures.map(({ program, cpuPercent, commandsPerSecond }) => [
      program,
      `${cpuPercent.toFixed(2)} %`,
      commandsPerSecond.toFixed(1),
    ]);
    const columns = ['program', 'CPU time, of one core', 'commands of Redis per second'];
    const notes = [`Over ${MEASURED_SECONDS} s, ${SETTLED_MILLISECONDS / 1_000} s after the start.`];
    return { tables: [{ title: 'An idle replica', columns, rows, notes }], targets, figures };
  },
};

async function measure(tree: Tree, workload: Workload): Promise<IdleFigures> {
  const redis = await startRedisWithClients(tree, workload);
  const address = { host: '127.0.0.1', port: await freePort() };
  const env = { ...serveSettings(workload, address.port), ...clientStore(workload, redis) };
  const server = startPinned(tree.node, [tree.program, 'serve'], { core: workload.cores.contender, env });
  const admin = new Redis(redis.url);
  try {
    await untilItAccepts('serve', address, server);
    await delay(SETTLED_MILLISECONDS);
    await admin.config('RESETSTAT');
    const [started, ticks] = [performance.now(), ticksOf(server.pid)];
    await delay(MEASURED_SECONDS * 1_000);
    const [seconds, used] = [(performance.now() - started) / 1_000, ticksOf(server.pid) - ticks];
    return {
      program: tree.revision === '' ? 'countersign' : `countersign (${tree.revision})`,
      cpuPercent: (100 * used) / TICKS_PER_SECOND / seconds,
      commandsPerSecond: (await commands(admin)) / seconds,
    };
  } finally {
    admin.disconnect();
    await server.stop();
    await redis.process.stop();
  }
}

/** Without those that this case sends itself. */
async function commands(redis: Redis): Promise<number> {
  const calls = [...(await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const counted = calls.filter(([, name = '']) => !name.startsWith('config'));
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** User and system time: fields 14 and 15 of proc(5), of which the second may contain spaces. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

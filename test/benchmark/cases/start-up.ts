import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { bareEnvironment } from '../../support/child-process.ts';
import { freePort } from '../../support/free-port.ts';
import type { Workload } from '../contenders/contender.ts';
import { clientStore, serveSettings } from '../contenders/serve.ts';
import { pinned } from '../machine.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import { type Spread, spreadOf } from '../measure/statistics.ts';
import { prepare } from '../prepare.ts';
import { endWithThisRun } from '../processes.ts';
import type { Table } from '../report/table.ts';
import type { Target } from '../report/targets.ts';
import type { Tree } from '../tree.ts';
import type { Case } from './case.ts';

/** Milliseconds, and MiB at rest. */
const limits = {
  'serve listens': { title: 'time until serve listens', limit: 300 },
  'at rest': { title: 'memory of serve at rest', limit: 90 },
  '--version': { title: 'duration of --version', limit: 80 },
  '--help': { title: 'duration of --help', limit: 80 },
  'certificate FILE': { title: 'duration of certificate FILE', limit: 150 },
} as const;

/** What is measured of each program, as the columns of the table. */
const columns = ['serve listens', 'at rest', '--version', '--help', 'certificate FILE'] as const;
type Column = (typeof columns)[number];

interface StartUpFigures {
  readonly program: string;
  readonly figures: Partial<Record<Column, Spread>>;
}

const REST_MILLISECONDS = 2_000;

/** Programs start in alternation, on all cores, once before the first round. */
export const startUp: Case = {
  description: 'time until serve listens, its memory at rest, and the duration of short commands',
  run: async ({ directory, cores, trees, rounds, progress }) => {
    const { workload } = prepare({ directory, cores, clients: 1, algorithm: 'ES256' });
    const { cert } = workload.clientCertificate.writeTo(workload.directory, 'client');
    const programs = trees.map((tree) => ({ tree, samples: [] as Record<Column, number>[] }));
    const bare: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      progress(`round ${round}/${rounds}`);
      const node = await millisecondsToExit(process.execPath, ['--eval', '0'], workload);
      if (round > 0) bare.push(node);
      for (const { tree, samples } of programs) {
        const sample = await measureProgram(tree, workload, cert);
        if (round > 0) samples.push(sample);
      }
    }
    const figures: StartUpFigures[] = [
      { program: 'node --eval 0', figures: { '--version': spreadOf(bare) } },
      ...programs.map(({ tree, samples }) => ({ program: nameOf(tree), figures: spreadsOf(samples) })),
    ];
    return { tables: [tableOf(figures)], targets: targetsOf(figures), figures };
  },
};

async function measureProgram(tree: Tree, workload: Workload, certificate: string): Promise<Record<Column, number>> {
  const exit = (...args: readonly string[]) => millisecondsToExit(tree.node, [tree.program, ...args], workload);
  const { listening, resident } = await measureServe(tree, workload);
  return {
    'serve listens': listening,
    'at rest': resident,
    '--version': await exit('--version'),
    '--help': await exit('--help'),
    'certificate FILE': await exit('certificate', certificate),
  };
}

/** Milliseconds until `serve` reports that it listens, and its resident MiB two seconds later. */
async function measureServe(tree: Tree, workload: Workload) {
  const env = { ...serveSettings(workload, await freePort()), ...clientStore(workload, undefined) };
  const start = performance.now();
  const child = startOnAllCores(tree.node, [tree.program, 'serve'], workload, env);
  const ended = endWithThisRun(child);
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const { promise: listens, resolve, reject } = Promise.withResolvers<number>();
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes('"event":"listening"')) resolve(performance.now() - start);
  });
  ended.then(() => reject(new Error(`serve has exited:\n${output}`)));
  const listening = await listens;
  await delay(REST_MILLISECONDS);
  const resident = residentMemory(child.pid ?? 0).current;
  child.kill('SIGTERM');
  await ended;
  return { listening, resident };
}

async function millisecondsToExit(command: string, args: readonly string[], workload: Workload): Promise<number> {
  const start = performance.now();
  const child = startOnAllCores(command, args, workload);
  child.stdout.resume();
  endWithThisRun(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')}: exit code ${code}`);
  return performance.now() - start;
}

function startOnAllCores(command: string, args: readonly string[], { cores }: Workload, env = {}) {
  const [program, programArgs] = pinned(cores.all, command, args);
  return spawn(program, programArgs, {
    env: bareEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

function spreadsOf(samples: readonly Record<Column, number>[]): Record<Column, Spread> {
  const spread = (column: Column) => spreadOf(samples.map((sample) => sample[column]));
  return {
    'serve listens': spread('serve listens'),
    'at rest': spread('at rest'),
    '--version': spread('--version'),
    '--help': spread('--help'),
    'certificate FILE': spread('certificate FILE'),
  };
}

const nameOf = ({ revision }: Tree) => (revision === '' ? 'countersign' : `countersign (${revision})`);

function targetsOf(programs: readonly StartUpFigures[]): readonly Target[] {
  const current = programs.find(({ program }) => program === 'countersign')?.figures ?? {};
  return columns.map((column) => ({
    ...limits[column],
    measured: current[column]?.median ?? Number.NaN,
    unit: column === 'at rest' ? 'MiB' : 'ms',
  }));
}

function tableOf(programs: readonly StartUpFigures[]): Table {
  const cell = (column: Column, spread: Spread | undefined) => {
    if (!spread) return '';
    const unit = column === 'at rest' ? 'MiB' : 'ms';
    return `${spread.median.toFixed(0)} ${unit} (${spread.lowest.toFixed(0)}–${spread.highest.toFixed(0)})`;
  };
  return {
    title: 'Start-up',
    columns: ['program', ...columns],
    rows: programs.map(({ program, figures }) => [program, ...columns.map((column) => cell(column, figures[column]))]),
    notes: [
      'Wall-clock time on all cores, medians and spread. At rest: resident memory 2 s after serve listens.',
      'node --eval 0, in the column of --version, is the least that any command takes.',
    ],
  };
}

import { freePort } from '../../support/free-port.ts';
import { serve } from '../contenders/serve.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { type Certificates, requestSource } from '../load/request-source.ts';
import { repeatIfUnavailable } from '../load/unavailable.ts';
import { profileCpu } from '../measure/cpu-profile.ts';
import { cpuMicroseconds, mainThreadMicroseconds } from '../measure/cpu-time.ts';
import { stepFiles, stepShares, type TimedStep } from '../measure/step-times.ts';
import { prepare } from '../prepare.ts';
import type { Tree } from '../tree.ts';
import type { Case, RunContext } from './case.ts';

interface StepTimes {
  readonly revision: string;
  readonly certificates: Certificates;
  /** CPU microseconds per token of the main thread, by step. */
  readonly steps: ReadonlyMap<TimedStep, number>;
  /** CPU microseconds per token of all other threads. */
  readonly otherThreads: number;
}

const CONNECTIONS = 32;
const WARM_UP = 8_000;
const PROFILED = 12_000;

/**
 * The time of each step of `serve`, from V8's sampling profiler. The CPU time per token is measured without the profiler;
 * the profile only distributes it over the steps.
 */
export const steps: Case = {
  description: 'the time of each step of a token request',
  run: async (context) => {
    const times: StepTimes[] = [];
    for (const tree of context.trees) {
      for (const certificates of ['known', 'once'] as const) {
        times.push(await measureSteps(tree, certificates, context));
      }
    }
    const figures = times.map(({ steps, ...rest }) => ({ ...rest, steps: Object.fromEntries(steps) }));
    return { tables: [tableOf(times)], figures };
  },
};

async function measureSteps(tree: Tree, certificates: 'known' | 'once', context: RunContext): Promise<StepTimes> {
  const { directory, cores, progress } = context;
  progress(`issuing certificates (${certificates})`);
  const preparation = prepare({ directory, cores, clients: 1, algorithm: 'ES256' });
  const nextRequest = (await requestSource(preparation, certificates, WARM_UP + 2 * PROFILED))();
  const port = await freePort();
  const nodeArguments = [`--inspect=127.0.0.1:${port}`];
  const contender = await serve(tree, { clients: 'file', nodeArguments }).start(preparation.workload);
  const { connect, pids, stop } = contender;
  const send = (requests: number) =>
    repeatIfUnavailable(() => runClosedLoop({ connect, connections: CONNECTIONS, requests, nextRequest }));
  try {
    await send(WARM_UP);
    progress(`without the profiler (${certificates})`);
    const [pid = 0] = pids;
    const before = { all: cpuMicroseconds(pids), main: mainThreadMicroseconds(pid) };
    await send(PROFILED);
    const main = (mainThreadMicroseconds(pid) - before.main) / PROFILED;
    const otherThreads = (cpuMicroseconds(pids) - before.all) / PROFILED - main;
    progress(`with the profiler (${certificates})`);
    const shares = stepShares(await profileCpu(port, () => send(PROFILED)), tree.root);
    const steps = new Map([...shares].map(([step, share]) => [step, share * main]));
    return { revision: tree.revision, certificates, steps, otherThreads };
  } finally {
    await stop();
  }
}

/** Safe: the keys of the table of steps. */
const rowNames: readonly TimedStep[] = [
  ...(Object.keys(stepFiles) as (keyof typeof stepFiles)[]),
  'HTTP: Hono, Node.js',
  'sockets, event loop',
  'garbage collection',
];

function tableOf(times: readonly StepTimes[]) {
  const names = { known: 'known certificate', once: 'new certificate', rotating: '', handshake: '' };
  const microseconds = (value: number | undefined) => (value ?? 0).toFixed(1);
  const total = ({ steps, otherThreads }: StepTimes) =>
    [...steps.values()].reduce((sum, time) => sum + time, otherThreads);
  return {
    title: 'CPU time of each step of a token request, in µs (serve with a file, ES256)',
    columns: [
      'step',
      ...times.map(({ revision, certificates }) => `${names[certificates]}${revision && ` (${revision})`}`),
    ],
    rows: [
      ...rowNames.map((name) => [name, ...times.map(({ steps }) => microseconds(steps.get(name)))]),
      ['other threads', ...times.map(({ otherThreads }) => microseconds(otherThreads))],
      ['total', ...times.map((figures) => microseconds(total(figures)))],
    ],
    notes: [
      'A step includes the libraries and the native code that it calls. Parsing HTTP and writing to the socket are in the rows',
      'below the steps. Other threads: the garbage collector and the compiler of V8, and the thread pool.',
    ],
  };
}

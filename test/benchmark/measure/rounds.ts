import type { RunningContender } from '../contenders/contender.ts';
import { type ClosedLoop, runClosedLoop } from '../load/closed-loop.ts';
import { requireToken } from '../load/require-token.ts';
import { repeatIfUnavailable } from '../load/unavailable.ts';
import { cpuMicroseconds } from './cpu-time.ts';
import { type Latency, latencyOf, type Spread, spreadOf } from './statistics.ts';

/** What one contender costs in one case. */
export interface Measurement {
  readonly contender: string;
  /** CPU microseconds per request. */
  readonly cpu: Spread;
  readonly cpuByRound: readonly number[];
  /** CPU microseconds per request of the TLS terminator in front of it. */
  readonly terminatorCpu?: Spread;
  /** CPU time relative to the first contender in the same round. */
  readonly ratio: Spread;
  readonly requestsPerSecond: Spread;
  readonly latency: Latency;
}

export interface Rounds extends Pick<ClosedLoop, 'requireResponse'> {
  readonly rounds: number;
  /** Per contender and round. */
  readonly requests: number;
  readonly connections: number;
  /** Default: all of them. */
  readonly requestsPerConnection?: number;
  /** Before the first round, with few connections: each known client was served once afterwards. */
  readonly warmUpRequests: number;
  /** The requests of one contender. */
  readonly requestsFor: () => () => Uint8Array;
  readonly progress: (text: string) => void;
}

const WARM_UP_CONNECTIONS = 4;

interface Round {
  readonly cpu: number;
  readonly terminatorCpu: number;
  readonly requestsPerSecond: number;
  readonly latencies: Float64Array;
}

/**
 * Measures the contenders in alternation, so that other load on the machine affects all of them, after each was warmed up.
 *
 * @throws {Error} if a response is not the expected one, or a contender does not audit every decision
 */
export async function measureInRounds(
  contenders: readonly RunningContender[],
  options: Rounds,
): Promise<Measurement[]> {
  const runners = contenders.map((contender) => ({
    contender,
    run: roundRunner(contender, requestsOf(contender, options), options),
    rounds: [] as Round[],
  }));
  const { rounds: count, requests, warmUpRequests, progress } = options;
  for (const { contender, run } of runners) {
    progress(`warm-up, ${contender.name}`);
    const requests = Math.max(warmUpRequests, contender.warmUpRequests ?? 0);
    await run({ requests, connections: WARM_UP_CONNECTIONS });
  }
  for (let number = 1; number <= count; number += 1) {
    for (const { contender, run, rounds } of runners) {
      progress(`round ${number}/${count}, ${contender.name}`);
      rounds.push(await run(options));
    }
  }
  for (const { contender } of runners) await requireAudit(contender, warmUpRequests + count * requests);
  const [reference = []] = runners.map(({ rounds }) => rounds.map(({ cpu }) => cpu));
  return runners.map(({ contender, rounds }) => summarize(contender, rounds, reference));
}

function requestsOf({ request }: RunningContender, { requestsFor }: Rounds): () => Uint8Array {
  return request === undefined ? requestsFor() : () => request;
}

type Load = Pick<Rounds, 'requests' | 'connections' | 'requestsPerConnection'>;

/** The rounds of a contender continue its sequence of requests. */
function roundRunner(
  contender: RunningContender,
  nextRequest: () => Uint8Array,
  { requireResponse = requireToken }: Pick<Rounds, 'requireResponse'>,
): (load: Load) => Promise<Round> {
  const { connect, pids, terminatorPids = [] } = contender;
  const measure = async (load: Load) => {
    const { requests } = load;
    const before = [cpuMicroseconds(pids), cpuMicroseconds(terminatorPids)] as const;
    const { seconds, latencies } = await runClosedLoop({ ...load, connect, nextRequest, requireResponse });
    const cpu = (cpuMicroseconds(pids) - before[0]) / requests;
    const terminatorCpu = (cpuMicroseconds(terminatorPids) - before[1]) / requests;
    return { cpu, terminatorCpu, requestsPerSecond: requests / seconds, latencies };
  };
  return (load) =>
    repeatIfUnavailable(() => measure(load)).catch((error: Error) => {
      throw new Error(`${contender.name}: ${error.message}\n${contender.lastOutput()}`);
    });
}

function summarize(
  { name, terminatorPids }: RunningContender,
  rounds: readonly Round[],
  reference: readonly number[],
): Measurement {
  const cpuByRound = rounds.map(({ cpu }) => cpu);
  return {
    contender: name,
    cpu: spreadOf(cpuByRound),
    cpuByRound,
    ...(terminatorPids && { terminatorCpu: spreadOf(rounds.map(({ terminatorCpu }) => terminatorCpu)) }),
    ratio: ratioOf(cpuByRound, reference),
    requestsPerSecond: spreadOf(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    latency: latencyOf(rounds.flatMap(({ latencies }) => [...latencies])),
  };
}

/** The ratios of two contenders in the same rounds. */
export function ratioOf(cpuByRound: readonly number[], reference: readonly number[]): Spread {
  return spreadOf(cpuByRound.map((cpu, index) => cpu / (reference[index] ?? Number.NaN)));
}

/** A server that skips audit events would be cheaper. */
async function requireAudit({ name, audited }: RunningContender, decisions: number): Promise<void> {
  for (let attempt = 0; audited && audited() < decisions; attempt += 1) {
    if (attempt === 100) throw new Error(`${name}: ${audited()} lines of log for ${decisions} decisions`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

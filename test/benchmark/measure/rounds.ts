import type { RunningContender } from '../contenders/contender.ts';
import { type ClosedLoop, runClosedLoop } from '../load/closed-loop.ts';
import { cpuMicroseconds } from './cpu-time.ts';
import { type Latency, latencyOf, type Spread, spreadOf } from './statistics.ts';

/** What one contender costs in one case. */
export interface Measurement {
  readonly contender: string;
  /** CPU microseconds per request. */
  readonly cpu: Spread;
  /** CPU time relative to the first contender in the same round. */
  readonly ratio: Spread;
  readonly requestsPerSecond: Spread;
  readonly latency: Latency;
}

export interface Rounds {
  readonly rounds: number;
  /** Per contender and round. */
  readonly requests: number;
  readonly connections: number;
  /** The requests of one contender. */
  readonly requestsFor: (contender: RunningContender) => () => Uint8Array;
  readonly progress: (text: string) => void;
}

interface Round {
  readonly cpu: number;
  readonly requestsPerSecond: number;
  readonly latencies: Float64Array;
}

/**
 * Measures the contenders in alternation, so that other load on the machine affects all of them, after one round each
 * that is not counted.
 *
 * @throws {Error} if a contender responds with anything but a token, or does not audit every decision
 */
export async function measureInRounds(
  contenders: readonly RunningContender[],
  options: Rounds,
): Promise<Measurement[]> {
  const runners = contenders.map((contender) => ({
    contender,
    run: roundRunner(contender, options),
    rounds: [] as Round[],
  }));
  for (let number = 0; number <= options.rounds; number += 1) {
    for (const { contender, run, rounds } of runners) {
      options.progress(`${number === 0 ? 'warm-up' : `round ${number}/${options.rounds}`}, ${contender.name}`);
      const round = await run();
      if (number > 0) rounds.push(round);
    }
  }
  for (const { contender } of runners) await requireAudit(contender, options.requests * (options.rounds + 1));
  const reference = runners[0]?.rounds.map(({ cpu }) => cpu) ?? [];
  return runners.map(({ contender, rounds }) => summarize(contender.name, rounds, reference));
}

function roundRunner(
  contender: RunningContender,
  { requests, connections, requestsFor }: Rounds,
): () => Promise<Round> {
  const load: ClosedLoop = { address: contender.address, connections, requests, nextRequest: requestsFor(contender) };
  return async () => {
    const before = cpuMicroseconds(contender.pids);
    const { seconds, latencies } = await runClosedLoop(load).catch((error: Error) => {
      throw new Error(`${contender.name}: ${error.message}\n${contender.lastOutput()}`);
    });
    const cpu = (cpuMicroseconds(contender.pids) - before) / requests;
    return { cpu, requestsPerSecond: requests / seconds, latencies };
  };
}

function summarize(contender: string, rounds: readonly Round[], reference: readonly number[]): Measurement {
  return {
    contender,
    cpu: spreadOf(rounds.map(({ cpu }) => cpu)),
    ratio: spreadOf(rounds.map(({ cpu }, index) => cpu / (reference[index] ?? Number.NaN))),
    requestsPerSecond: spreadOf(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    latency: latencyOf(rounds.flatMap(({ latencies }) => [...latencies])),
  };
}

/** A server that skips audit events would be cheaper. */
async function requireAudit({ name, audited }: RunningContender, decisions: number): Promise<void> {
  for (let attempt = 0; audited && audited() < decisions; attempt += 1) {
    if (attempt === 100) throw new Error(`${name}: ${audited()} lines of log for ${decisions} decisions`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

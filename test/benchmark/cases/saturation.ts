import type { RunningContender } from '../contenders/contender.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { repeatIfUnavailable } from '../load/unavailable.ts';
import { quantile } from '../measure/statistics.ts';

const ROUNDS = 5;
const REQUESTS = 4_000;
const CONNECTIONS = 32;

/** How many requests a contender answers per second when it is saturated: the median of a few rounds after a warm-up. */
export async function measureSaturation({ connect }: RunningContender, nextRequest: () => Uint8Array): Promise<number> {
  const load = { connect, connections: CONNECTIONS, requests: REQUESTS, nextRequest };
  const run = () => repeatIfUnavailable(() => runClosedLoop(load));
  await run();
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rates.push(REQUESTS / (await run()).seconds);
  return quantile(rates, 0.5);
}

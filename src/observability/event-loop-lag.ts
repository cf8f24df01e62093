import { createHistogram, performance } from 'node:perf_hooks';
import { callEvery } from '../shared-timer.ts';

/** In seconds, between two samples that are due every 100 ms: up to 0.11 is normal. */
export interface EventLoopLag {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

const SAMPLING_MILLISECONDS = 100;
const CHECK_MILLISECONDS = 1_000;
/** The share of the time in which the event loop is not idle. */
const BUSY_UTILIZATION = 0.02;
const NANOSECONDS = 1e9;

/**
 * Measures the lag of the event loop while it is busy. Each sample wakes the process up, so there is none behind a second in
 * which the event loop was idle for 98 % of the time.
 *
 * @returns takes the lag since the last call: all values are 0 if there was no sample
 */
export function measureEventLoopLag(): () => EventLoopLag {
  const samples = createHistogram();
  let last = performance.eventLoopUtilization();
  let endSampling: (() => void) | undefined;
  callEvery(CHECK_MILLISECONDS, () => {
    const current = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(current, last).utilization > BUSY_UTILIZATION;
    last = current;
    if (isBusy) endSampling ??= sampleInto((nanoseconds) => samples.record(nanoseconds));
    else {
      endSampling?.();
      endSampling = undefined;
    }
  });
  return () => {
    const isEmpty = samples.count === 0;
    const seconds = (nanoseconds: number) => (isEmpty ? 0 : nanoseconds / NANOSECONDS);
    const lag = {
      min: seconds(samples.min),
      max: seconds(samples.max),
      mean: seconds(samples.mean),
      stddev: seconds(samples.stddev),
      p50: seconds(samples.percentile(50)),
      p90: seconds(samples.percentile(90)),
      p99: seconds(samples.percentile(99)),
    };
    samples.reset();
    return lag;
  };
}

/** @returns what ends it */
function sampleInto(record: (nanoseconds: number) => void): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    record(Math.max(1, Math.round((now - last) * 1e6)));
    last = now;
  }, SAMPLING_MILLISECONDS).unref();
  return () => clearInterval(timer);
}

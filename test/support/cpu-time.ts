/** The CPU clock of a thread can be as coarse as 10 ms, so one measurement takes at least this long. */
const SAMPLE_MS = 50;

/** The CPU time of one call, in milliseconds: the mean of as many calls as it takes to measure it. */
function cpuMilliseconds(work: () => void): number {
  const start = process.threadCpuUsage();
  for (let calls = 1; ; calls++) {
    work();
    const { user, system } = process.threadCpuUsage(start);
    const total = (user + system) / 1000;
    if (total >= SAMPLE_MS) return total / calls;
  }
}

/**
 * Measures work in multiples of the CPU time of a baseline. A slow or busy machine affects both alike, so a limit on the
 * ratio means the same everywhere.
 *
 * @returns a function of the work and a limit for its ratio. It stops measuring as soon as an upper bound of the ratio is
 * below the limit, or the ratio is far above it.
 */
export function relativeTo(baseline: () => void): (work: () => void, limit: number) => number {
  // The least of three: the code is not compiled yet.
  const unit = Math.min(...[1, 2, 3].map(() => cpuMilliseconds(baseline)));
  return (work, limit) => {
    // Elapsed time is an upper bound of CPU time, and has a fine clock.
    let ratio = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS && ratio >= limit; round++) {
      ratio = Math.min(ratio, elapsedMilliseconds(work) / unit);
    }
    for (let round = 0; round < ROUNDS && ratio >= limit; round++) {
      const measured = cpuMilliseconds(work) / cpuMilliseconds(baseline);
      if (measured > 3 * limit) return measured;
      ratio = Math.min(ratio, measured);
    }
    return ratio;
  };
}

const ROUNDS = 4;

function elapsedMilliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

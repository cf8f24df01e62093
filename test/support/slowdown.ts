const CPU_MICROSECONDS = 50_000;

/**
 * How many times longer than on an idle machine a computation takes at the moment: 1 on an idle machine, about 5 if five
 * busy processes share each core. Blocks this thread until it has had 50 ms of CPU time.
 *
 * A time limit times this factor is about the program under test, and not about what else the machine does.
 */
export function slowdown(): number {
  const started = performance.now();
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= CPU_MICROSECONDS) return Math.max(1, ((performance.now() - started) * 1000) / (user + system));
  }
}

const LINES_PER_SECOND = 10;

/**
 * Bounds the lines about what anyone who can connect causes at no expense, so that they cannot fill the log.
 *
 * @param now milliseconds of a monotonic clock
 * @returns how many lines were left out since the last one; undefined if this one is to be left out as well
 */
export function createLineBudget(now: () => number): () => number | undefined {
  let second = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let leftOut = 0;
  return () => {
    if (now() - second >= 1_000) [second, lines] = [now(), 0];
    lines += 1;
    if (lines > LINES_PER_SECOND) {
      leftOut += 1;
      return undefined;
    }
    const before = leftOut;
    leftOut = 0;
    return before;
  };
}

/** A figure that was measured several times. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @throws {RangeError} without values */
export function spreadOf(values: readonly number[]): Spread {
  return { median: medianOf(values), lowest: quantile(values, 0), highest: quantile(values, 1) };
}

/** The mean of the two values in the middle if their number is even: rounds are few, and the lower one would flatter. */
function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * The nearest-rank quantile: the smallest value that at least this share of the values does not exceed.
 *
 * @param share from 0 to 1
 * @throws {RangeError} without values
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export function latencyOf(milliseconds: ArrayLike<number>): Latency {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => quantile(milliseconds, share));
  return { p50: p50 ?? Number.NaN, p99: p99 ?? Number.NaN, p999: p999 ?? Number.NaN };
}

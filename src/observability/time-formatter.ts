/**
 * Formats times as in ISO 8601, in UTC. `Date` takes 2 µs for it, as long as for a whole audit event, so each formatter
 * keeps its last text: successive times of one are often equal.
 *
 * @returns a function of milliseconds since the epoch
 */
export function createTimeFormatter(): (milliseconds: number) => string {
  let last = { milliseconds: Number.NaN, text: '' };
  return (milliseconds) => {
    if (milliseconds !== last.milliseconds) last = { milliseconds, text: new Date(milliseconds).toISOString() };
    return last.text;
  };
}

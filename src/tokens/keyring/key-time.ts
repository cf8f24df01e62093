/** A time in RFC 3339, in seconds; undefined if it is infinite. @param milliseconds since the epoch */
export function formatKeyTime(milliseconds: number): string | undefined {
  return Number.isFinite(milliseconds) ? `${new Date(milliseconds).toISOString().slice(0, 19)}Z` : undefined;
}

const HOUR = 3_600_000;
const DAY_IN_HOURS = 24;

/** The earliest expiry of the certificates that clients were authenticated with in one hour. */
interface Hour {
  /** Hours since the epoch. */
  hour: number;
  /** Milliseconds since the epoch. */
  earliest: number;
}

/**
 * When the first of the certificates expires that clients were authenticated with in the last day, in steps of an hour.
 * It counts authenticated clients only: anyone can present a certificate that is about to expire. Its memory is constant.
 */
export class RecentExpiries {
  /** The present hour and the 24 before it, each at its remainder. */
  readonly #hours: readonly Hour[] = Array.from({ length: DAY_IN_HOURS + 1 }, () => ({ hour: 0, earliest: 0 }));

  /** Both in milliseconds since the epoch. */
  add(notAfter: number, now: number): void {
    const hour = Math.floor(now / HOUR);
    const entry = this.#hours[hour % this.#hours.length];
    if (!entry) return;
    if (entry.hour === hour && entry.earliest <= notAfter) return;
    entry.hour = hour;
    entry.earliest = notAfter;
  }

  /** Milliseconds since the epoch; undefined if no client was authenticated in the last day. */
  earliest(now: number): number | undefined {
    const since = Math.floor(now / HOUR) - DAY_IN_HOURS;
    const recent = this.#hours.filter(({ hour }) => hour >= since).map(({ earliest }) => earliest);
    return recent.length === 0 ? undefined : Math.min(...recent);
  }
}

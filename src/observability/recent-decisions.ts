import type { AuditEntry } from './audit-entry.ts';

/** A decision of the audit log, as a page shows it. */
export interface Decision {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly isGranted: boolean;
  /** A copy of the audit entry. */
  readonly entry: Readonly<AuditEntry>;
}

export interface RecentDecisions {
  /** @param isGranted whether the request was granted, or the check approved */
  add(entry: Readonly<AuditEntry>, isGranted: boolean): void;
  /** Keeps granted requests, too, for this time. */
  watch(milliseconds: number): void;
  /** The latest decisions, the newest first. */
  read(): readonly Decision[];
}

/** How many decisions are kept. */
const CAPACITY = 100;

/**
 * The latest decisions, for operators who watch them. Rejections are always kept; granted requests, which are many, only
 * while they are watched.
 *
 * @param now milliseconds since the epoch
 */
export function createRecentDecisions(now: () => number): RecentDecisions {
  /** As JSON: an entry refers to parts of its request, and would keep all of it in memory. */
  const kept: { readonly time: number; readonly isGranted: boolean; readonly json: string }[] = [];
  let count = 0;
  let watchedUntil = 0;
  return {
    add: (entry, isGranted) => {
      const time = now();
      if (isGranted && time > watchedUntil) return;
      kept[count % CAPACITY] = { time, isGranted, json: JSON.stringify(entry) };
      count += 1;
    },
    watch: (milliseconds) => {
      watchedUntil = now() + milliseconds;
    },
    read: () => {
      const start = count % CAPACITY;
      const oldestFirst = count > CAPACITY ? [...kept.slice(start), ...kept.slice(0, start)] : kept.slice();
      // The JSON of an entry has the shape of an entry.
      return oldestFirst
        .reverse()
        .map(({ time, isGranted, json }) => ({ time, isGranted, entry: JSON.parse(json) as AuditEntry }));
    },
  };
}

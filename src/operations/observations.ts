/** What `countersign doctor` asked to be told about, for as long as it asks. Bounded in number, size and time. */
export interface Observations<Observation> {
  /** Starts to keep what is observed under this id, or forgets what was and starts anew. False when too many watch. */
  watch(id: string): boolean;
  /** The watched id among these, if any; asked for each request, so it costs nothing while nobody watches. */
  watchedBy(ids: () => readonly string[]): string | undefined;
  add(id: string, observation: Observation): void;
  /** What was observed so far, or undefined where nobody watches under this id. */
  read(id: string): readonly Observation[] | undefined;
}

export const WATCH_SECONDS = 600;
const MAX_WATCHERS = 8;
const MAX_OBSERVATIONS = 256;

interface Watcher<Observation> {
  readonly until: number;
  readonly observations: Observation[];
}

/** @param now milliseconds since the epoch */
export function createObservations<Observation>(now: () => number): Observations<Observation> {
  const watchers = new Map<string, Watcher<Observation>>();
  const forgetLate = () => {
    for (const [id, { until }] of watchers) if (now() > until) watchers.delete(id);
  };
  return {
    watch: (id) => {
      forgetLate();
      if (watchers.size >= MAX_WATCHERS && !watchers.has(id)) return false;
      watchers.set(id, { until: now() + WATCH_SECONDS * 1000, observations: [] });
      return true;
    },
    watchedBy: (ids) => {
      if (watchers.size === 0) return undefined;
      forgetLate();
      return ids().find((id) => watchers.has(id));
    },
    add: (id, observation) => {
      const observations = watchers.get(id)?.observations;
      if (observations && observations.length < MAX_OBSERVATIONS) observations.push(observation);
    },
    read: (id) => {
      forgetLate();
      return watchers.get(id)?.observations;
    },
  };
}

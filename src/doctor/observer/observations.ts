/** What `countersign doctor` asked to be told about, for as long as it asks. Bounded in number, size and time. */
export interface Observations<Observation> {
  /** Starts to keep what is observed under this id, or forgets what was and starts anew. */
  watch(id: string): void;
  /** The first mark with a watched id; asked for each request, so it costs nothing while nobody watches. */
  watchedBy<Mark extends { readonly id: string }>(marks: () => readonly Mark[]): Mark | undefined;
  add(id: string, observation: Observation): void;
  /** What was observed so far, or undefined where nobody watches under this id. */
  read(id: string): readonly Observation[] | undefined;
}

/** A watch ends as long after its last question or observation. */
export const WATCH_SECONDS = 120;
/** One more, and the one that was quiet for longest ends: a doctor that was cut off does not say goodbye. */
const MAX_WATCHERS = 8;
const MAX_OBSERVATIONS = 256;
const MAX_CHARACTERS = 1024 * 1024;

interface Watcher<Observation> {
  until: number;
  /** Of its observations as JSON, about. */
  characters: number;
  readonly observations: Observation[];
}

/** @param now milliseconds since the epoch */
export function createObservations<Observation>(now: () => number): Observations<Observation> {
  // The one that was quiet for longest stands first.
  const watchers = new Map<string, Watcher<Observation>>();
  const keep = (id: string, watcher: Watcher<Observation>) => {
    watchers.delete(id);
    watcher.until = now() + WATCH_SECONDS * 1000;
    watchers.set(id, watcher);
  };
  const forget = () => {
    for (const [id, { until }] of watchers) if (now() > until || watchers.size > MAX_WATCHERS) watchers.delete(id);
  };
  return {
    watch: (id) => {
      keep(id, { until: 0, characters: 0, observations: [] });
      forget();
    },
    watchedBy: (marks) => {
      if (watchers.size === 0) return undefined;
      forget();
      return marks().find(({ id }) => watchers.has(id));
    },
    add: (id, observation) => {
      const watcher = watchers.get(id);
      if (!watcher || watcher.observations.length >= MAX_OBSERVATIONS) return;
      const characters = watcher.characters + JSON.stringify(observation).length;
      if (characters > MAX_CHARACTERS) return;
      watcher.characters = characters;
      watcher.observations.push(observation);
      keep(id, watcher);
    },
    read: (id) => {
      forget();
      const watcher = watchers.get(id);
      if (watcher) keep(id, watcher);
      return watcher?.observations;
    },
  };
}

/** The observations of each active watch of `countersign doctor`. Bounded in number, size and time. */
export interface ObservationStore<Observation> {
  /** Starts a watch. An active watch with this id restarts without observations. */
  watch(id: string): void;
  /**
   * Finds the first tag whose id is watched. Called for every request, so `readTags` runs only while a watch is active.
   */
  findWatched<Tag extends { readonly id: string }>(readTags: () => readonly Tag[]): Tag | undefined;
  add(id: string, observation: Observation): void;
  /** The observations of a watch so far; undefined when the id is not watched. */
  read(id: string): readonly Observation[] | undefined;
}

/** How long a watch lasts after it was last read or written. */
export const WATCH_TTL_SECONDS = 120;
/** One more evicts the watch that was idle for longest: a doctor that is interrupted does not end its watch. */
const MAX_WATCHES = 8;
const MAX_OBSERVATIONS = 256;
const MAX_CHARACTERS = 1024 * 1024;

interface Watch<Observation> {
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** Approximate length of the observations as JSON. */
  characters: number;
  readonly observations: Observation[];
}

/** @param now milliseconds since the epoch */
export function createObservationStore<Observation>(now: () => number): ObservationStore<Observation> {
  // In order of last use: the watch that was idle for longest is first.
  const watches = new Map<string, Watch<Observation>>();
  const renew = (id: string, watch: Watch<Observation>) => {
    watches.delete(id);
    watch.expiresAt = now() + WATCH_TTL_SECONDS * 1000;
    watches.set(id, watch);
  };
  const evict = () => {
    for (const [id, { expiresAt }] of watches) {
      if (now() > expiresAt || watches.size > MAX_WATCHES) watches.delete(id);
    }
  };
  return {
    watch: (id) => {
      renew(id, { expiresAt: 0, characters: 0, observations: [] });
      evict();
    },
    findWatched: (readTags) => {
      if (watches.size === 0) return undefined;
      evict();
      return readTags().find(({ id }) => watches.has(id));
    },
    add: (id, observation) => {
      const watch = watches.get(id);
      if (!watch || watch.observations.length >= MAX_OBSERVATIONS) return;
      const characters = watch.characters + JSON.stringify(observation).length;
      if (characters > MAX_CHARACTERS) return;
      watch.characters = characters;
      watch.observations.push(observation);
      renew(id, watch);
    },
    read: (id) => {
      evict();
      const watch = watches.get(id);
      if (watch) renew(id, watch);
      return watch?.observations;
    },
  };
}

import { Cluster, type Redis } from 'ioredis';

const LARGEST = 200;

/**
 * Parts of a list whose keys one script may be run on: of a cluster one key each, else so many that the script is done
 * before anybody notices that he waits for it.
 */
export function keyGroups<Item>(redis: Redis | Cluster, items: readonly Item[]): readonly (readonly Item[])[] {
  const size = redis instanceof Cluster ? 1 : LARGEST;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}

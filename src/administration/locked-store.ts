import type { ApplyLock } from './apply-lock.ts';
import type { RecordStore } from './record-store.ts';

/**
 * The same store for the run whose turn it is: the turn begins when something is first asked for, not while files are
 * read, and nothing is written any more once it was lost.
 *
 * @param onWaiting told in words whose turn it still is
 */
export function lockedStore(store: RecordStore, lease: ApplyLock, onWaiting: (why: string) => void): RecordStore {
  const begin = () => lease.acquire(onWaiting);
  return {
    read: async (clientIds) => {
      if (clientIds.length > 0) await begin();
      return store.read(clientIds);
    },
    findOwners: async (identityKeys) => {
      if (identityKeys.length > 0) await begin();
      return store.findOwners(identityKeys);
    },
    async *clientIds(pattern) {
      await begin();
      yield* store.clientIds(pattern);
    },
    addIndexEntries: async (entries) => {
      lease.requireHeld();
      await store.addIndexEntries(entries);
    },
    removeIndexEntries: async (entries) => {
      lease.requireHeld();
      await store.removeIndexEntries(entries);
    },
    write: (writes) => {
      lease.requireHeld();
      return store.write(writes);
    },
    hasMarker: () => store.hasMarker(),
    writeMarker: async () => {
      // It says that what was written is there.
      await lease.confirmHeld();
      return store.writeMarker();
    },
  };
}

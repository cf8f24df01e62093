import type { ApplyLock } from './apply-lock.ts';
import type { RecordStore } from './record-store.ts';

/**
 * The store of a run that holds the apply lock. The lock is acquired before the first read from Redis, and not while
 * files are parsed. Once it is lost, nothing more is written.
 *
 * @param onWaiting receives a message while another run holds the lock
 */
export function lockedStore(store: RecordStore, lock: ApplyLock, onWaiting: (message: string) => void): RecordStore {
  const acquire = () => lock.acquire(onWaiting);
  return {
    read: async (keys) => {
      if (keys.length > 0) await acquire();
      return store.read(keys);
    },
    findOwners: async (keys) => {
      if (keys.length > 0) await acquire();
      return store.findOwners(keys);
    },
    async *scanIds(type, pattern) {
      await acquire();
      yield* store.scanIds(type, pattern);
    },
    addIndexEntries: async (entries) => {
      lock.requireHeld();
      await store.addIndexEntries(entries);
    },
    removeIndexEntries: async (entries) => {
      lock.requireHeld();
      await store.removeIndexEntries(entries);
    },
    write: (writes) => {
      lock.requireHeld();
      return store.write(writes);
    },
    hasMarker: () => store.hasMarker(),
    writeMarker: async () => {
      // The marker states that everything that was written is there.
      await lock.confirmHeld();
      return store.writeMarker();
    },
  };
}

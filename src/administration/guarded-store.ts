import type { RecordStore } from './record-store.ts';

/**
 * The same store, in which nothing is written any more where that is not allowed at the moment.
 *
 * @param requireAllowed asked before each piece that is written; throws AdministrationError
 */
export function guardedStore(store: RecordStore, requireAllowed: () => void): RecordStore {
  return {
    ...store,
    enter: async (entries) => {
      requireAllowed();
      await store.enter(entries);
    },
    leave: async (entries) => {
      requireAllowed();
      await store.leave(entries);
    },
    write: (writes) => {
      requireAllowed();
      return store.write(writes);
    },
    mark: async () => {
      requireAllowed();
      return store.mark();
    },
  };
}

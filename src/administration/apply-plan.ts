import type { RecordKey } from '../resources/record-types.ts';
import { AdministrationError } from './administration-error.ts';
import type { Change } from './change.ts';
import type { ChangeLog } from './change-log.ts';
import type { IndexEntry, MarkerStatus, Progress, RecordStore } from './record-store.ts';

export interface ApplyResult {
  /** How many records were written. */
  readonly written: number;
  /** Records that another writer changed since the plan was made, and were not written. */
  readonly conflicts: readonly RecordKey[];
  readonly marker: MarkerStatus;
}

interface Tally {
  written: number;
  readonly conflicts: RecordKey[];
}

const BATCH_SIZE = 200;
const CONCURRENT_BATCHES = 8;

/**
 * Writes the changes of a plan. Each record is written completely or not at all: its new index entries before
 * it, because an entry is a hint that the record confirms, and obsolete entries are removed after it.
 *
 * @param stop when aborted, the batches in flight are the last
 * @throws {AdministrationError} when Redis fails or the run is stopped, with how many records were written
 */
export async function applyPlan(
  changes: ChangeLog,
  store: RecordStore,
  progress: Progress,
  stop?: AbortSignal,
): Promise<ApplyResult> {
  const tally: Tally = { written: 0, conflicts: [] };
  const writeBatches = async (batches: Iterable<readonly Change[]>) => {
    for (const batch of batches) {
      if (stop?.aborted) throw new AdministrationError([]);
      await writeBatch(batch, store, tally);
      progress('written', tally.written, changes.count);
    }
  };
  try {
    // Removals first: after an interruption, no client that is to be removed shares an identity with a new one.
    for (const batches of [batchesOf(changes, 'removals'), batchesOf(changes, 'others')]) {
      // They share one iterator: when one fails, the others find no further batch.
      await settleAll(Array.from({ length: CONCURRENT_BATCHES }, () => writeBatches(batches)));
    }
    return { ...tally, marker: await store.writeMarker() };
  } catch (error) {
    if (!(error instanceof AdministrationError)) throw error;
    const written = `${tally.written} of ${changes.count} records were written`;
    const rest = `${error.isErrorReply ? 'once that is fixed, ' : ''}running the command again writes the rest`;
    throw new AdministrationError([...error.problems, `${written}; ${rest}`]);
  }
}

function* batchesOf(changes: ChangeLog, which: 'removals' | 'others'): Generator<readonly Change[]> {
  for (const batch of changes.batches(BATCH_SIZE)) {
    const selected = batch.filter(({ kind }) => (kind === 'removed') === (which === 'removals'));
    if (selected.length > 0) yield selected;
  }
}

async function writeBatch(batch: readonly Change[], store: RecordStore, tally: Tally): Promise<void> {
  await store.addIndexEntries(indexEntries(batch, 'addedKeys'));
  const records = batch.filter(({ kind }) => kind !== 'reindexed');
  tally.written += batch.length - records.length;
  const writes = store.write(records).map(async (writing, index) => {
    const [isWritten, record] = [await writing, records[index]];
    if (isWritten) tally.written += 1;
    else if (record) tally.conflicts.push({ type: record.type, id: record.id });
    return isWritten;
  });
  const areWritten = await settleAll(writes);
  const written = records.filter((_, index) => areWritten[index]);
  await store.removeIndexEntries(indexEntries(written, 'removedKeys'));
}

function indexEntries(changes: readonly Change[], which: 'addedKeys' | 'removedKeys'): IndexEntry[] {
  return changes.flatMap(({ type, id, ...change }) => change[which].map((indexKey) => ({ type, id, indexKey })));
}

/** Waits for all of them even when one fails, so that writes in flight are counted. */
async function settleAll<Result>(pending: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(pending);
  return Promise.all(pending);
}

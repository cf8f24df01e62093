import { AdministrationError } from './administration-error.ts';
import type { Change } from './change.ts';
import type { ChangeLog } from './change-log.ts';
import type { IndexEntry, MarkerStatus, Progress, RecordStore } from './record-store.ts';

/** How many clients were written, and whom somebody else wrote between the plan and now. */
export interface ApplyResult {
  readonly written: number;
  readonly conflicts: readonly string[];
  readonly marker: MarkerStatus;
}

interface Counted {
  written: number;
  readonly conflicts: string[];
}

const PART = 200;
const PARTS_AT_ONCE = 8;

/**
 * Writes the changes of a plan. Each client is written as a whole or not: its entries in the index before its record,
 * since they are hints that a record makes true, and those that are no longer true are taken out after it.
 *
 * @param stop when it is aborted, the parts under way are the last
 * @throws {AdministrationError} where Redis fails or it was stopped before the end, saying how many were written
 */
export async function applyPlan(
  changes: ChangeLog,
  store: RecordStore,
  progress: Progress,
  stop?: AbortSignal,
): Promise<ApplyResult> {
  const applied: Counted = { written: 0, conflicts: [] };
  const work = async (parts: Iterable<readonly Change[]>) => {
    for (const part of parts) {
      if (stop?.aborted) throw new AdministrationError([]);
      await writePart(part, store, applied);
      progress('written', applied.written, changes.count);
    }
  };
  try {
    // Who goes goes first: an interruption then leaves nobody who claims the certificate of one that is to be removed.
    for (const parts of [partsOf(changes, true), partsOf(changes, false)]) {
      // One iterator for all: when one of them fails, the others find no more to do.
      await all(Array.from({ length: PARTS_AT_ONCE }, () => work(parts)));
    }
    return { ...applied, marker: await store.writeMarker() };
  } catch (error) {
    if (!(error instanceof AdministrationError)) throw error;
    const how = `${applied.written} of ${changes.count} clients were written`;
    const rest = `${error.isErrorReply ? 'when that is mended, ' : ''}running the command again writes the rest`;
    throw new AdministrationError([...error.problems, `${how}; ${rest}`]);
  }
}

function* partsOf(changes: ChangeLog, areRemoved: boolean): Generator<readonly Change[]> {
  for (const part of changes.batches(PART)) {
    const wanted = part.filter(({ kind }) => (kind === 'removed') === areRemoved);
    if (wanted.length > 0) yield wanted;
  }
}

async function writePart(part: readonly Change[], store: RecordStore, applied: Counted): Promise<void> {
  await store.addIndexEntries(entriesOf(part, 'addedKeys'));
  const changed = part.filter(({ kind }) => kind !== 'reindexed');
  applied.written += part.length - changed.length;
  const isWritten = await all(
    store.write(changed).map(async (writing, index) => {
      const written = await writing;
      if (written) applied.written += 1;
      else applied.conflicts.push(changed[index]?.clientId ?? '');
      return written;
    }),
  );
  await store.removeIndexEntries(
    entriesOf(
      changed.filter((_, index) => isWritten[index]),
      'removedKeys',
    ),
  );
}

function entriesOf(changes: readonly Change[], which: 'addedKeys' | 'removedKeys'): IndexEntry[] {
  return changes.flatMap(({ clientId, ...change }) => change[which].map((identityKey) => ({ identityKey, clientId })));
}

/** Waits for all of them also where one fails: what is on its way is then counted. */
async function all<Answer>(asked: readonly Promise<Answer>[]): Promise<Answer[]> {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

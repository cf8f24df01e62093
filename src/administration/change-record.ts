import { recordText } from '../clients/record-text.ts';
import type { RecordStore } from './record-store.ts';
import { type JsonObject, recordOf } from './stored-record.ts';

/** What became of a change: written, needless, or impossible, and then why. */
export type ChangedRecord =
  | { readonly outcome: 'written' | 'unchanged' }
  | { readonly outcome: 'refused'; readonly reason: string };

const ATTEMPTS = 5;

/**
 * Changes one record where it stands, and again where somebody else writes it at the same moment.
 *
 * @param change the record as it should be, or undefined to leave it as it is
 * @throws {AdministrationError} where Redis fails
 */
export async function changeRecord(
  store: RecordStore,
  clientId: string,
  change: (record: JsonObject) => JsonObject | undefined,
): Promise<ChangedRecord> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [seen] = await store.read([clientId]);
    if (!seen || seen.type === 'none') return { outcome: 'refused', reason: 'is not in Redis' };
    const record = recordOf(seen);
    if (typeof record === 'string') {
      return { outcome: 'refused', reason: `has a value that ${record}; remove it, or apply a file with its record` };
    }
    const next = change(record);
    if (next === undefined) return { outcome: 'unchanged' };
    const [written] = store.write([{ clientId, seen, next: recordText(next) }]);
    if (await written) return { outcome: 'written' };
  }
  return { outcome: 'refused', reason: 'is being written by others all the time; try again' };
}

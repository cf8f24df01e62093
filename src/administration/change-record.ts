import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeRecord } from '../clients/serialize-record.ts';
import { planRemoval } from './change.ts';
import type { RecordStore } from './record-store.ts';
import { type JsonObject, parseStoredValue } from './stored-records.ts';

/**
 * Removes whatever stands at a client's key, and then its entries in the index.
 *
 * @throws {AdministrationError} where Redis fails
 */
export async function removeClient(
  store: RecordStore,
  clientId: string,
  policy: RegistrationPolicy,
): Promise<ChangeResult> {
  const [expected = { type: 'none' }] = await store.read([clientId]);
  const removal = planRemoval(clientId, expected, policy);
  if (!removal) return notInRedis(store);
  const [written] = store.write([removal]);
  if (!(await written)) {
    return { outcome: 'refused', reason: 'was written by somebody else at this moment; look at it and try again' };
  }
  await store.removeIndexEntries(removal.removedKeys.map((identityKey) => ({ identityKey, clientId })));
  return { outcome: 'written' };
}

/** What became of a change: written, needless, or impossible, and then why. */
export type ChangeResult =
  | { readonly outcome: 'written' | 'unchanged' }
  | { readonly outcome: 'refused'; readonly reason: string };

const ATTEMPTS = 5;

/** A server may take more than the settings of this command let through: whom it serves can be disabled. */
const anyPolicy: RegistrationPolicy = { allowSha1Thumbprints: true, requireCaPin: false, anchors: [] };

/**
 * Changes one record where it stands, and again where somebody else writes it at the same moment.
 *
 * @param change the record as it should be, or undefined to leave it is
 * @throws {AdministrationError} where Redis fails
 */
export async function changeRecord(
  store: RecordStore,
  clientId: string,
  change: (record: JsonObject) => JsonObject | undefined,
): Promise<ChangeResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [expected] = await store.read([clientId]);
    if (!expected || expected.type === 'none') return notInRedis(store);
    const { client, record, errors } = parseStoredValue(clientId, expected, anyPolicy, Date.now());
    if (!client || !record) {
      const [error] = errors;
      const why = `the server refuses it (${error?.field} ${error?.message})`;
      return { outcome: 'refused', reason: `has no sound record: ${why}; remove it, or apply a file with its record` };
    }
    const next = change(record);
    if (next === undefined) return { outcome: 'unchanged' };
    const [written] = store.write([{ clientId, expected, next: serializeRecord(next) }]);
    if (await written) return { outcome: 'written' };
  }
  return { outcome: 'refused', reason: 'is being written by others all the time; try again' };
}

const LOST =
  ', and neither is the marker: if Redis has lost its records, servers go on serving those that they remember until ' +
  'all files are applied at once, where enabled: false refuses a client';

/** What becomes of a client that is not there. It may be served for all that, which nobody should learn from a replica. */
export async function notInRedis(store: RecordStore): Promise<ChangeResult> {
  return { outcome: 'refused', reason: `is not in Redis${(await store.hasMarker()) ? '' : LOST}` };
}

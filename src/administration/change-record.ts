import { formatDiagnostic } from '../clients/diagnostics.ts';
import type { JsonObject } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeClient } from '../clients/serialize-record.ts';
import { clientKey, type RecordKey, type RecordType } from '../resources/record-types.ts';
import { planRemoval } from './change.ts';
import type { RecordStore } from './record-store.ts';
import { parseStoredValue } from './stored-records.ts';

/** The outcome of a change. */
export type ChangeResult =
  | { readonly outcome: 'written' | 'unchanged' }
  /** `reason` follows the name of the record. */
  | { readonly outcome: 'failed'; readonly reason: string };

const MAX_ATTEMPTS = 5;

/** A server may accept more than the settings of this command: a client that it serves can be disabled. */
const anyPolicy: RegistrationPolicy = {
  allowSha1Thumbprints: true,
  requireCaPin: false,
  uniqueCertificates: false,
  allowUnboundEdgeTokens: true,
  anchors: [],
  intermediates: [],
};

/**
 * Changes the record of a client in Redis, and retries when it is written by others at the same time.
 *
 * @param change returns the new record, or undefined when nothing is to be changed
 * @throws {AdministrationError} when Redis fails
 */
export async function changeRecord(
  store: RecordStore,
  clientId: string,
  change: (record: JsonObject) => JsonObject | undefined,
): Promise<ChangeResult> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const [expected] = await store.read([clientKey(clientId)]);
    if (!expected || expected.type === 'none') return missingRecord('client', store);
    const { client, record, errors } = parseStoredValue(clientId, expected, anyPolicy, Date.now());
    if (!client || !record) {
      const why = `the server rejects it (${errors.slice(0, 1).map(formatDiagnostic)})`;
      return { outcome: 'failed', reason: `has an invalid record: ${why}; remove it, or apply a file with its record` };
    }
    const next = change(record);
    if (next === undefined) return { outcome: 'unchanged' };
    const [written] = store.write([{ ...clientKey(clientId), expected, next: serializeClient(next) }]);
    if (await written) return { outcome: 'written' };
  }
  return { outcome: 'failed', reason: `was changed by another writer during ${MAX_ATTEMPTS} attempts; try again` };
}

/**
 * Removes a record, valid or not, and then its index entries.
 *
 * @throws {AdministrationError} when Redis fails
 */
export async function removeRecord(
  store: RecordStore,
  key: RecordKey,
  policy: RegistrationPolicy,
): Promise<ChangeResult> {
  const [expected = { type: 'none' }] = await store.read([key]);
  const removal = planRemoval(key, expected, policy);
  if (!removal) return missingRecord(key.type, store);
  const [written] = store.write([removal]);
  if (!(await written)) {
    return { outcome: 'failed', reason: 'was changed by another writer at the same time; check it and try again' };
  }
  const entries = removal.removedKeys.map((indexKey) => ({ ...key, indexKey }));
  await store.removeIndexEntries(entries);
  // An apply at the same time may have added the record again. Without its entries, the edge would not find it.
  const [present = { type: 'none' }] = await store.read([key]);
  if (present.type !== 'none') await store.addIndexEntries(entries);
  return { outcome: 'written' };
}

const NO_MARKER =
  ', and neither is the marker: if Redis has lost its records, servers keep serving from their cache until all ' +
  'files are applied in one run';
const REJECT_CLIENT = '; to reject a client, write enabled: false in its record there';

/** Without the marker, replicas may still use the record from their cache. */
async function missingRecord(type: RecordType, store: RecordStore): Promise<ChangeResult> {
  const note = `${NO_MARKER}${type === 'client' ? REJECT_CLIENT : ''}`;
  return { outcome: 'failed', reason: `is not in Redis${(await store.hasMarker()) ? '' : note}` };
}

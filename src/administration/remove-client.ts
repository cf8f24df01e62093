import type { RegistrationPolicy } from '../clients/diagnostics.ts';
import { planRemoval } from './change.ts';
import { type ChangedRecord, notInRedis } from './change-record.ts';
import type { RecordStore } from './record-store.ts';

/**
 * Removes whatever stands at a client's key, and then its entries in the index.
 *
 * @throws {AdministrationError} where Redis fails
 */
export async function removeClient(
  store: RecordStore,
  clientId: string,
  policy: RegistrationPolicy,
): Promise<ChangedRecord> {
  const [seen = { type: 'none' }] = await store.read([clientId]);
  const removal = planRemoval(clientId, seen, policy);
  if (!removal) return notInRedis(store);
  const [written] = store.write([removal]);
  if (!(await written)) {
    return { outcome: 'refused', reason: 'was written by somebody else at this moment; look at it and try again' };
  }
  await store.leave(removal.leave.map((identityKey) => ({ identityKey, clientId })));
  return { outcome: 'written' };
}

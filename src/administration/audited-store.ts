import { type ChangeAudit, currentUser, type RecordEvent } from './change-audit.ts';
import { diffFields } from './field-changes.ts';
import type { RecordStore, RecordWrite } from './record-store.ts';
import { decodeStoredValue } from './stored-records.ts';

/** A store that records each change. */
export function auditedStore(store: RecordStore, audit: ChangeAudit): RecordStore {
  const by = currentUser();
  const reportIfWritten = async (write: RecordWrite, written: Promise<boolean>): Promise<boolean> => {
    const isWritten = await written;
    if (isWritten) audit.report(changeEvent(write, by));
    return isWritten;
  };
  return {
    ...store,
    write: (writes) => {
      audit.open();
      return store.write(writes).map((written, index) => {
        const write = writes[index];
        return write ? reportIfWritten(write, written) : written;
      });
    },
  };
}

const MAX_FIELDS = 100;

function changeEvent(write: RecordWrite, by: string): RecordEvent {
  const { type, id, expected, next } = write;
  const record = type === 'client' ? { client_id: id } : { resource: id };
  if (next === undefined) return { event: `${type}_removed`, by, ...record };
  if (expected.type === 'none') return { event: `${type}_added`, by, ...record };
  const before = decodeStoredValue(write, expected);
  const changes = diffFields(typeof before === 'string' ? {} : before, JSON.parse(next));
  return { event: `${type}_changed`, by, ...record, fields: changes.slice(0, MAX_FIELDS).map(({ field }) => field) };
}

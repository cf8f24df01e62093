import { hostname, userInfo } from 'node:os';
import { diffFields } from './field-changes.ts';
import type { RecordStore, RecordWrite } from './record-store.ts';
import { decodeStoredValue } from './stored-records.ts';

/** The audit event of a record that was added, changed or removed. It names fields, and contains none of their values. */
interface ChangeEvent {
  readonly event: `${RecordWrite['type']}_${'added' | 'changed' | 'removed'}`;
  /** Who ran the command: `user@host`. */
  readonly by: string;
  readonly client_id?: string;
  readonly resource?: string;
  /** Paths of the fields that differ, such as `certificates[0].thumbprint`. */
  readonly fields?: readonly string[];
}

/** Where changes are recorded. Both methods throw if that fails. */
export interface ChangeAudit {
  /** Called before the first change, and again before others. */
  open(): void;
  /** Records a change that is in effect. */
  report(change: ChangeEvent): void;
}

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

function changeEvent(write: RecordWrite, by: string): ChangeEvent {
  const { type, id, expected, next } = write;
  const record = type === 'client' ? { client_id: id } : { resource: id };
  if (next === undefined) return { event: `${type}_removed`, by, ...record };
  if (expected.type === 'none') return { event: `${type}_added`, by, ...record };
  const before = decodeStoredValue(write, expected);
  const changes = diffFields(typeof before === 'string' ? {} : before, JSON.parse(next));
  return { event: `${type}_changed`, by, ...record, fields: changes.slice(0, MAX_FIELDS).map(({ field }) => field) };
}

/** A container may run as a user without a name. */
function currentUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.()}@${hostname()}`;
  }
}

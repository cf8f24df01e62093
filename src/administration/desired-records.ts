import { describeDiagnostic, type LocatedDiagnostic } from '../clients/files/diagnostics.ts';
import { RecordFiles, type ValidRecord } from '../clients/files/record-files.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { type RecordKey, type RecordType, recordTypes } from '../resources/record-types.ts';

/** A record of the files that is valid by itself. */
export type DesiredRecord = ValidRecord & {
  /** As it is stored in Redis. */
  readonly text: string;
};

/** The records of all files. Only ids and locations stay in memory, with the errors and warnings in words. */
export class DesiredRecords {
  readonly errors = new BoundedList();
  readonly warnings = new BoundedList();
  readonly #records: RecordFiles;

  /** @param now milliseconds since the epoch */
  constructor(files: readonly string[], policy: RegistrationPolicy, now: number) {
    const addTo = (list: BoundedList) => (diagnostic: LocatedDiagnostic) => list.add(describeDiagnostic(diagnostic));
    this.#records = new RecordFiles(files, {
      policy,
      now,
      onError: addTo(this.errors),
      onWarning: addTo(this.warnings),
    });
  }

  /** Reads all files once. */
  async *batches(): AsyncGenerator<readonly DesiredRecord[]> {
    for await (const batch of this.#records.batches()) {
      yield batch.map((record) => ({ ...record, text: recordTypes[record.type].serialize(record.value) }));
    }
  }

  /** The types of which the files have a record, or a list that may be empty. */
  get types(): ReadonlySet<RecordType> {
    return this.#records.types;
  }

  has({ type, id }: RecordKey): boolean {
    return this.#records.index[type].has(id);
  }

  /** How many clients the files have, valid or not, as far as they were read. */
  get clientCount(): number {
    return this.#records.index.client.size;
  }

  /** @param index of the client */
  clientIdAt(index: number): string {
    return this.#records.index.client.idAt(index);
  }

  /**
   * The file, and the record in it.
   *
   * @param index of the client
   */
  locationAt(index: number): string {
    return this.#records.index.client.describeLocationAt(index);
  }
}

const MAX_MESSAGES = 50;

/** The first messages of many, and how many there were. */
class BoundedList {
  readonly #first: string[] = [];
  count = 0;

  add(message: string): void {
    this.count += 1;
    if (this.#first.length < MAX_MESSAGES) this.#first.push(message);
  }

  /** The messages, and a last line with the number of those omitted. */
  lines(): string[] {
    const omitted = this.count - this.#first.length;
    return omitted === 0 ? [...this.#first] : [...this.#first, `… and ${omitted} more`];
  }
}

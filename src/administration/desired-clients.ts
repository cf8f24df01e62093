import type { Client } from '../clients/client.ts';
import { describeFinding } from '../clients/clients-file.ts';
import type { Fault, RegistrationPolicy } from '../clients/findings.ts';
import { ClientsFileError, isJsonLines, type PlacedRecord, placeOf } from '../clients/parse-records.ts';
import { readClient } from '../clients/read-client.ts';
import { recordText } from '../clients/record-text.ts';
import { BoundedList } from './bounded-list.ts';
import { type ReadRecord, readRecords } from './read-records.ts';

/** A client of the files, sound by itself. */
export interface DesiredClient {
  /** Counted from 0 over all files. */
  readonly index: number;
  readonly clientId: string;
  /** Its record, as it is to stand in Redis. */
  readonly text: string;
  readonly client: Client;
}

/**
 * The clients of all files. Of each, only its name and place are kept; what is wrong with any is collected, and no
 * record that has a fault comes out of `batches`.
 */
export class DesiredClients {
  readonly faults = new BoundedList();
  readonly warnings = new BoundedList();
  readonly #files: readonly string[];
  readonly #policy: RegistrationPolicy;
  readonly #now: number;
  readonly #names: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #places: number[] = [];

  /** @param now milliseconds since the epoch */
  constructor(files: readonly string[], policy: RegistrationPolicy, now: number) {
    this.#files = files;
    this.#policy = policy;
    this.#now = now;
  }

  get count(): number {
    return this.#ids.length;
  }

  has(clientId: string): boolean {
    return this.#indexes.has(clientId);
  }

  clientIdAt(index: number): string {
    return this.#ids[index] ?? '';
  }

  /** The file and which of its records it is. */
  placeAt(index: number): string {
    const place = this.#places[index] ?? 0;
    const name = this.#names[Math.floor(place / RECORDS_IN_FILE)] ?? '';
    return `${name}, ${placeOf(name, place % RECORDS_IN_FILE)}`;
  }

  /** Reads all files once. */
  async *batches(): AsyncGenerator<readonly DesiredClient[]> {
    for (const file of this.#files) {
      try {
        const { name, batches } = await readRecords(file);
        this.#names.push(name);
        let records = 0;
        for await (const batch of batches) {
          records += batch.length;
          for (const part of inParts(batch)) yield part.flatMap((record) => this.#read(record) ?? []);
        }
        // A file that was cut off before its first line would, with --prune, remove everybody.
        if (records === 0 && isJsonLines(name)) this.faults.add(`${name}: holds no record; ${HOW_TO_SAY_NONE}`);
      } catch (error) {
        if (!(error instanceof ClientsFileError)) throw error;
        this.faults.add(error.message);
      }
    }
  }

  #read(record: ReadRecord): DesiredClient | undefined {
    if (record instanceof ClientsFileError) {
      this.faults.add(record.message);
      return undefined;
    }
    const read = readClient(record.value, this.#policy, this.#now);
    if (!read.ok) {
      this.#report(this.faults, record, read.faults);
      return undefined;
    }
    const index = this.#add(read.client.clientId, record);
    if (index === undefined) return undefined;
    this.#report(this.warnings, record, read.warnings);
    return { index, clientId: read.client.clientId, text: recordText(record.value), client: read.client };
  }

  #add(clientId: string, record: PlacedRecord): number | undefined {
    const earlier = this.#indexes.get(clientId);
    if (earlier !== undefined) {
      const message = `is taken by ${this.placeAt(earlier)}; a client has one record`;
      this.#report(this.faults, record, [{ field: 'client_id', message }]);
      return undefined;
    }
    const index = this.#ids.push(clientId) - 1;
    this.#indexes.set(clientId, index);
    this.#places.push((this.#names.length - 1) * RECORDS_IN_FILE + record.number);
    return index;
  }

  #report(list: BoundedList, { number, value }: PlacedRecord, findings: readonly Fault[]): void {
    if (findings.length === 0) return;
    const name = this.#names.at(-1) ?? '';
    const clientId = clientIdOf(value);
    const client = clientId === undefined ? `(${placeOf(name, number)})` : `${clientId} (${placeOf(name, number)})`;
    list.add(...findings.map((finding) => describeFinding(name, { client, ...finding })));
  }
}

const HOW_TO_SAY_NONE = 'for no clients at all, give a file .json that holds []';

/** A place is one number, since there may be a million. */
const RECORDS_IN_FILE = 2 ** 32;
const PART = 1_000;

function* inParts(batch: readonly ReadRecord[]): Generator<readonly ReadRecord[]> {
  for (let start = 0; start < batch.length; start += PART) yield batch.slice(start, start + PART);
}

function clientIdOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && 'client_id' in value;
  return isObject && typeof value.client_id === 'string' ? value.client_id : undefined;
}

import type { RecordLocation } from './diagnostics.ts';
import { recordLocation } from './parse-records.ts';

/** Which clients the files contain, and where: only `client_id`s and numbers, because there may be a million. */
export class ClientIndex {
  readonly #files: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #ids: string[] = [];
  /** The index of the file, times the maximum number of records, plus the number of the record. */
  readonly #locations: number[] = [];

  /** The files that were opened, as messages call them. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** The records that are added next are in this file. */
  startFile(name: string): void {
    this.#files.push(name);
  }

  /**
   * @param number of the record in the current file
   * @returns the index of the client, or the location of an earlier record with this `client_id`
   */
  add(clientId: string, number: number): number | string {
    const earlier = this.#indexes.get(clientId);
    if (earlier !== undefined) return this.describeLocationAt(earlier);
    const index = this.#ids.push(clientId) - 1;
    this.#indexes.set(clientId, index);
    this.#locations.push((this.#files.length - 1) * MAX_RECORDS + number);
    return index;
  }

  has(clientId: string): boolean {
    return this.#indexes.has(clientId);
  }

  clientIdAt(index: number): string {
    return this.#ids[index] ?? '';
  }

  /** @param clientId of a client that was added */
  locate(clientId: string): RecordLocation {
    return this.#locateAt(this.#indexes.get(clientId) ?? 0);
  }

  describeLocationAt(index: number): string {
    const { file, location } = this.#locateAt(index);
    return `${file}, ${location}`;
  }

  #locateAt(index: number): RecordLocation {
    const location = this.#locations[index] ?? 0;
    const file = this.#files[Math.floor(location / MAX_RECORDS)] ?? '';
    return { file, location: recordLocation(file, location % MAX_RECORDS) };
  }
}

/** In one file. */
const MAX_RECORDS = 2 ** 32;

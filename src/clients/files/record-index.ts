import type { RecordLocation } from './diagnostics.ts';
import { recordLocation } from './parse-records.ts';

/** Which records of one type some files contain, and where: only ids and numbers, because there may be a million. */
export class RecordIndex {
  readonly #files: readonly string[];
  readonly #indexes = new Map<string, number>();
  readonly #ids: string[] = [];
  /** The index of the file, times the maximum number of records, plus the number of the record. */
  readonly #locations: number[] = [];

  /** @param files the opened files, as messages call them. Records that are added are in the last one */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /**
   * @param number of the record in the last file
   * @returns the index of the record, or the location of an earlier one with this id
   */
  add(id: string, number: number): number | string {
    const earlier = this.#indexes.get(id);
    if (earlier !== undefined) return this.describeLocationAt(earlier);
    const index = this.#ids.push(id) - 1;
    this.#indexes.set(id, index);
    this.#locations.push((this.#files.length - 1) * MAX_RECORDS + number);
    return index;
  }

  has(id: string): boolean {
    return this.#indexes.has(id);
  }

  idAt(index: number): string {
    return this.#ids[index] ?? '';
  }

  /** @param id of a record that was added */
  locate(id: string): RecordLocation {
    return this.#locateAt(this.#indexes.get(id) ?? 0);
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

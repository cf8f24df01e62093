import { describeLocation, type RecordLocation } from './diagnostics.ts';
import { type FileRecord, recordLocation } from './parse-records.ts';

/** Which records of one type some files contain, and where: only ids and numbers, because there may be a million. */
export class RecordIndex {
  readonly #files: readonly string[];
  readonly #indexes = new Map<string, number>();
  readonly #ids: string[] = [];
  /** By the index of a record: the index of its file, its number there, its line and its column. */
  readonly #places: number[] = [];

  /** @param files the opened files, as messages call them. Records that are added are in the last one */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /**
   * @param record of the last file
   * @returns the index of the record, or the location of an earlier one with this id
   */
  add(id: string, { number, start: { line, column } }: Pick<FileRecord, 'number' | 'start'>): number | string {
    const earlier = this.#indexes.get(id);
    if (earlier !== undefined) return this.describeLocationAt(earlier);
    const index = this.#ids.push(id) - 1;
    this.#indexes.set(id, index);
    this.#places.push(this.#files.length - 1, number, line, column);
    return index;
  }

  get size(): number {
    return this.#ids.length;
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
    return describeLocation(this.#locateAt(index));
  }

  #locateAt(index: number): RecordLocation {
    const [fileIndex = 0, number = 0, line = 0, column = 0] = this.#places.slice(index * 4, index * 4 + 4);
    const file = this.#files[fileIndex] ?? '';
    return { file, line, column, location: recordLocation(file, number) };
  }
}

import type { StoredValue } from '../redis/commands/values.ts';
import type { Change } from './change.ts';

const CHUNK_BYTES = 4 * 1_048_576;

/**
 * The changes of a plan, of which there may be a million: serialized outside the JavaScript heap, in about as many bytes
 * as their records.
 */
export class ChangeLog {
  readonly #chunks: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #usedBytes = CHUNK_BYTES;

  get count(): number {
    return this.#starts.length;
  }

  /** @returns its position, for `at` */
  add(change: Change): number {
    const bytes = Buffer.from(JSON.stringify({ ...change, expected: encode(change.expected) }));
    if (this.#usedBytes + bytes.length > CHUNK_BYTES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes.length)));
      this.#usedBytes = 0;
    }
    const chunk = this.#chunks.length - 1;
    this.#chunks[chunk]?.set(bytes, this.#usedBytes);
    // Chunk and offset in one number: no change starts beyond the regular size of a chunk.
    this.#starts.push(chunk * CHUNK_BYTES + this.#usedBytes);
    this.#usedBytes += bytes.length;
    return this.#lengths.push(bytes.length) - 1;
  }

  /** @throws {RangeError} when there is no such change */
  at(position: number): Change {
    const [start, length] = [this.#starts[position], this.#lengths[position]];
    if (start === undefined || length === undefined) throw new RangeError(`there is no change ${position}`);
    const offset = start % CHUNK_BYTES;
    const bytes = this.#chunks[Math.floor(start / CHUNK_BYTES)]?.subarray(offset, offset + length);
    const change = JSON.parse(String(bytes));
    // Safe: `add` serialized a Change. JSON leaves out an undefined `next`.
    return { ...change, expected: decode(change.expected), next: change.next } as Change;
  }

  /** The changes in the order in which they were added. */
  *batches(size: number): Generator<readonly Change[]> {
    for (let start = 0; start < this.count; start += size) {
      const length = Math.min(size, this.count - start);
      yield Array.from({ length }, (_, offset) => this.at(start + offset));
    }
  }

  /** Sorts the changes from a position on: clients first, each type by its ids. */
  sortFrom(first: number): void {
    const tail = Array.from({ length: this.count - first }, (_, offset) => ({
      key: sortKey(this.at(first + offset)),
      start: this.#starts[first + offset] ?? 0,
      length: this.#lengths[first + offset] ?? 0,
    }));
    tail.sort((one, other) => (one.key < other.key ? -1 : 1));
    for (const [offset, { start, length }] of tail.entries()) {
      this.#starts[first + offset] = start;
      this.#lengths[first + offset] = length;
    }
  }
}

function sortKey({ type, id }: Change): string {
  return `${type}:${id}`;
}

type EncodedValue = Exclude<StoredValue, { type: 'string' }> | { type: 'string'; text: string; base64?: string };

function encode(value: StoredValue): EncodedValue {
  if (value.type !== 'string') return value;
  const { type, text, bytes } = value;
  return bytes ? { type, text, base64: bytes.toString('base64') } : { type, text };
}

function decode(value: EncodedValue): StoredValue {
  if (value.type !== 'string') return value;
  const { type, text, base64 } = value;
  return base64 === undefined ? { type, text } : { type, text, bytes: Buffer.from(base64, 'base64') };
}

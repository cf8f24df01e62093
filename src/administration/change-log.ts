import type { StoredValue } from '../redis/commands/values.ts';
import type { Change } from './change.ts';

const CHUNK_OCTETS = 4 * 1_048_576;

/**
 * The changes of a plan, of which there may be a million: as octets outside of the heap of JavaScript, about as many as
 * their records have.
 */
export class ChangeLog {
  readonly #chunks: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #used = CHUNK_OCTETS;

  get count(): number {
    return this.#starts.length;
  }

  /** @returns its position, for `at` */
  add(change: Change): number {
    const octets = Buffer.from(JSON.stringify({ ...change, expected: encode(change.expected) }));
    if (this.#used + octets.length > CHUNK_OCTETS) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_OCTETS, octets.length)));
      this.#used = 0;
    }
    const chunk = this.#chunks.length - 1;
    this.#chunks[chunk]?.set(octets, this.#used);
    // A chunk and an offset in it; nothing begins beyond the usual length of one.
    this.#starts.push(chunk * CHUNK_OCTETS + this.#used);
    this.#used += octets.length;
    return this.#lengths.push(octets.length) - 1;
  }

  at(position: number): Change {
    const [start, length] = [this.#starts[position], this.#lengths[position]];
    if (start === undefined || length === undefined) throw new RangeError(`there is no change ${position}`);
    const offset = start % CHUNK_OCTETS;
    const octets = this.#chunks[Math.floor(start / CHUNK_OCTETS)]?.subarray(offset, offset + length);
    const change = JSON.parse(String(octets));
    // What `add` wrote.
    return { ...change, expected: decode(change.expected), next: change.next } as Change;
  }

  /** Puts those that were added from a position on in the order of their `client_id`s. */
  sortFrom(first: number): void {
    const tail = Array.from({ length: this.count - first }, (_, offset) => ({
      clientId: this.at(first + offset).clientId,
      start: this.#starts[first + offset] ?? 0,
      length: this.#lengths[first + offset] ?? 0,
    }));
    tail.sort((one, other) => (one.clientId < other.clientId ? -1 : 1));
    for (const [offset, { start, length }] of tail.entries()) {
      this.#starts[first + offset] = start;
      this.#lengths[first + offset] = length;
    }
  }

  /** The changes in the order in which they were added, some at a time. */
  *batches(size: number): Generator<readonly Change[]> {
    for (let start = 0; start < this.count; start += size) {
      const length = Math.min(size, this.count - start);
      yield Array.from({ length }, (_, offset) => this.at(start + offset));
    }
  }
}

type Encoded = Exclude<StoredValue, { type: 'string' }> | { type: 'string'; text: string; octets?: string };

function encode(expected: StoredValue): Encoded {
  if (expected.type !== 'string' || !expected.bytes)
    return expected.type === 'string' ? { type: 'string', text: expected.text } : expected;
  return { type: 'string', text: expected.text, octets: expected.bytes.toString('base64') };
}

function decode(expected: Encoded): StoredValue {
  if (expected.type !== 'string' || expected.octets === undefined) return expected as StoredValue;
  return { type: 'string', text: expected.text, bytes: Buffer.from(expected.octets, 'base64') };
}

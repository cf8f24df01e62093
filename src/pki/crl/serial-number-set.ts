import { MAX_CERTIFICATE_BYTES } from '../certificate/client-certificate.ts';

/** No accepted certificate can have a longer serial number. */
export const MAX_SERIAL_NUMBER_BYTES = MAX_CERTIFICATE_BYTES;

/** The length of a serial number is stored in two bytes. */
const LENGTH_BYTES = 2;

/**
 * A set of serial numbers (the content bytes of the INTEGER) that takes about 27 bytes of memory for each: one byte array
 * of length-prefixed serial numbers, and an open-addressed hash table of their offsets that is at most half full.
 */
export class SerialNumberSet {
  readonly #bytes: Uint8Array;
  /** 1 more than an offset into `#bytes`; 0 is a free slot. */
  readonly #table: Uint32Array;
  #end = 0;
  #size = 0;

  /**
   * @param capacity the number of serial numbers
   * @param totalBytes their total length
   */
  constructor(capacity: number, totalBytes: number) {
    this.#bytes = new Uint8Array(totalBytes + LENGTH_BYTES * capacity);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * capacity + 1)));
  }

  get size(): number {
    return this.#size;
  }

  /** The size of both arrays, in bytes. */
  get memory(): number {
    return this.#bytes.byteLength + this.#table.byteLength;
  }

  add(serial: Uint8Array): void {
    const slot = this.#slotOf(serial);
    if (this.#table[slot] !== 0) return;
    this.#table[slot] = this.#end + 1;
    this.#bytes[this.#end] = serial.length >> 8;
    this.#bytes[this.#end + 1] = serial.length & 0xff;
    this.#bytes.set(serial, this.#end + LENGTH_BYTES);
    this.#end += LENGTH_BYTES + serial.length;
    this.#size += 1;
  }

  has(serial: Uint8Array): boolean {
    return this.#table[this.#slotOf(serial)] !== 0;
  }

  /** The slot of a serial number, or the free slot where it would be inserted. */
  #slotOf(serial: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let slot = hashOf(serial) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot];
      if (entry === undefined || entry === 0 || this.#isAt(entry - 1, serial)) return slot;
    }
  }

  #isAt(offset: number, serial: Uint8Array): boolean {
    const [high = 0, low = 0] = [this.#bytes[offset], this.#bytes[offset + 1]];
    if (high * 256 + low !== serial.length) return false;
    return serial.every((byte, index) => this.#bytes[offset + LENGTH_BYTES + index] === byte);
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a, with the upper bits mixed into those that select a slot. */
function hashOf(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  // A loop over an iterator takes twice as long.
  for (let index = 0; index < bytes.length; index += 1) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

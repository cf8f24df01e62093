/** At most as many octets as the length of one can be written in. */
export const MAX_SERIAL_OCTETS = 255;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A set of serial numbers (the content octets of the INTEGER) that takes about 26 octets of memory for each: their
 * octets one after another, and a table of where they start, which is at most half full.
 */
export class SerialNumbers {
  readonly #octets: Uint8Array;
  /** 1 more than an offset into `#octets`; 0 is free. */
  readonly #table: Uint32Array;
  #end = 0;
  #size = 0;

  /**
   * @param count how many there will be
   * @param octets how many octets they have together
   */
  constructor(count: number, octets: number) {
    this.#octets = new Uint8Array(octets + count);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
  }

  get size(): number {
    return this.#size;
  }

  /** Of both parts, in octets. */
  get memory(): number {
    return this.#octets.byteLength + this.#table.byteLength;
  }

  add(serial: Uint8Array): void {
    const slot = this.#slotOf(serial);
    if (this.#table[slot] !== 0) return;
    this.#table[slot] = this.#end + 1;
    this.#octets[this.#end] = serial.length;
    this.#octets.set(serial, this.#end + 1);
    this.#end += serial.length + 1;
    this.#size += 1;
  }

  has(serial: Uint8Array): boolean {
    return this.#table[this.#slotOf(serial)] !== 0;
  }

  /** Where it stands in the table, or the free slot where it would. */
  #slotOf(serial: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let slot = hashOf(serial) & mask; ; slot = (slot + 1) & mask) {
      const start = this.#table[slot];
      if (start === undefined || start === 0 || this.#isAt(start - 1, serial)) return slot;
    }
  }

  #isAt(start: number, serial: Uint8Array): boolean {
    if (this.#octets[start] !== serial.length) return false;
    return serial.every((octet, index) => this.#octets[start + 1 + index] === octet);
  }
}

/** FNV-1a, and a mix of its upper bits into those that choose a slot. */
function hashOf(octets: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const octet of octets) hash = Math.imul(hash ^ octet, FNV_PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

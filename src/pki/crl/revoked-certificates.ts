import { setImmediate } from 'node:timers/promises';
import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerHeader, parseDer, parseDerHeader, parseObjectIdentifier, Tag } from '../certificate/der.ts';
import { isCritical } from '../certificate/structure.ts';

/** After so many entries others may work: some milliseconds. */
const ENTRIES_AT_A_TIME = 20_000;

/** reasonCode, holdInstructionCode and invalidityDate: whatever they say, the certificate is revoked. */
const knownExtensions: ReadonlySet<string> = new Set(['2.5.29.21', '2.5.29.23', '2.5.29.24']);

/**
 * Reads the serial numbers of revokedCertificates (RFC 5280 §5.1.2.6).
 *
 * @param list the SEQUENCE OF entries, or undefined where nothing was revoked
 * @throws {CertificateError} when an entry is malformed, or cannot be understood
 */
export async function parseRevokedCertificates(der: Uint8Array, list: DerHeader | undefined): Promise<SerialNumberSet> {
  if (!list) return new SerialNumberSet(0, 0);
  let [count, octets] = [0, 0];
  await forEachEntry(der, list, (serial) => {
    count += 1;
    octets += serial.length;
  });
  const serials = new SerialNumberSet(count, octets);
  await forEachEntry(der, list, (serial) => serials.add(serial));
  return serials;
}

async function forEachEntry(der: Uint8Array, list: DerHeader, take: (serial: Uint8Array) => void): Promise<void> {
  let entries = 0;
  for (let at = list.start; at < list.end; ) {
    const entry = parseDerHeader(der, at, list.end);
    take(parseSerialNumber(der, entry));
    at = entry.end;
    entries += 1;
    if (entries % ENTRIES_AT_A_TIME === 0) await setImmediate();
  }
}

/** SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }. */
function parseSerialNumber(der: Uint8Array, entry: DerHeader): Uint8Array {
  const serial = entry.tag === Tag.sequence ? parseDerHeader(der, entry.start, entry.end) : undefined;
  const date = serial && parseDerHeader(der, serial.end, entry.end);
  const isTime = date?.tag === Tag.utcTime || date?.tag === Tag.generalizedTime;
  if (serial?.tag !== Tag.integer || !isTime) throw new CertificateError('has an entry that is malformed');
  if (date.end < entry.end) requireKnownExtensions(der.subarray(date.end, entry.end));
  const octets = der.subarray(serial.start, serial.end);
  const [first, second = 0] = octets;
  const isPadded = octets.length > 1 && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80));
  // Serial numbers are compared octet by octet, so they must be written in one way only.
  if (first === undefined || isPadded)
    throw new CertificateError('not DER: has a serial number not in the fewest octets');
  if (octets.length <= MAX_SERIAL_NUMBER_BYTES) return octets;
  throw new CertificateError(`has a serial number of ${octets.length} octets`);
}

const CERTIFICATE_ISSUER = '2.5.29.29';
/** What nearly every entry with extensions holds: one reasonCode, not critical (all but the last octet). */
const REASON_CODE = Buffer.from('300c300a0603551d150403' + '0a01', 'hex');

function requireKnownExtensions(extensions: Uint8Array): void {
  if (isOneReasonCode(extensions)) return;
  for (const extension of parseDer(extensions).children) {
    const [type] = extension.children;
    const id = type?.tag === Tag.objectIdentifier ? parseObjectIdentifier(type.content) : 'none';
    if (id === CERTIFICATE_ISSUER)
      throw new CertificateError('is an indirect CRL: an entry has a certificateIssuer (RFC 5280 §5.3.3)');
    if (isCritical(extension) && !knownExtensions.has(id)) {
      throw new CertificateError(`has an entry with a critical extension that is not read: ${id} (RFC 5280 §5.3)`);
    }
  }
}

function isOneReasonCode(extensions: Uint8Array): boolean {
  if (extensions.length !== REASON_CODE.length + 1) return false;
  return Buffer.compare(extensions.subarray(0, REASON_CODE.length), REASON_CODE) === 0;
}

/** At most as many octets as the length of one can be written in. */
export const MAX_SERIAL_NUMBER_BYTES = 255;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A set of serial numbers (the content octets of the INTEGER) that takes about 26 octets of memory for each: their
 * octets one after another, and a table of where they start, which is at most half full.
 */
export class SerialNumberSet {
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

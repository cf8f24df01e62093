import { setImmediate } from 'node:timers/promises';
import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerHeader, parseDerHeader } from '../certificate/der.ts';
import { Tag } from '../certificate/der-element.ts';
import { requireKnownEntryExtensions } from './crl-extensions.ts';
import { MAX_SERIAL_NUMBER_BYTES, SerialNumberSet } from './serial-number-set.ts';

/**
 * Parses the serial numbers of revokedCertificates (RFC 5280 §5.1.2.6). An empty list, which the RFC does not allow, lists
 * nothing.
 *
 * @param list the SEQUENCE OF entries, or undefined if nothing was revoked
 * @throws {CertificateError} when an entry is malformed, or has an unknown critical extension
 */
export async function parseRevokedCertificates(der: Uint8Array, list: DerHeader | undefined): Promise<SerialNumberSet> {
  if (!list) return new SerialNumberSet(0, 0);
  let [count, totalBytes] = [0, 0];
  await forEachEntry(der, list, (serial) => {
    count += 1;
    totalBytes += serial.length;
  });
  const serials = new SerialNumberSet(count, totalBytes);
  await forEachEntry(der, list, (serial) => serials.add(serial));
  return serials;
}

/** The number of entries after which other work of the event loop may run; they take a few milliseconds. */
const ENTRIES_PER_TURN = 20_000;

/** Calls back with each serial number that a certificate can have. */
async function forEachEntry(der: Uint8Array, list: DerHeader, onSerial: (serial: Uint8Array) => void): Promise<void> {
  let entries = 0;
  for (let at = list.start; at < list.end; ) {
    entries += 1;
    const entry = parseDerHeader(der, at, list.end);
    const serial = locating(entries, () => parseSerialNumber(der, entry));
    if (serial.length <= MAX_SERIAL_NUMBER_BYTES) onSerial(serial);
    at = entry.end;
    if (entries % ENTRIES_PER_TURN === 0) await setImmediate();
  }
}

/** Adds the number of the entry to the message of an error. */
function locating<Value>(entry: number, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(`${error.message} (entry ${entry} of revokedCertificates)`);
  }
}

/**
 * SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }. A certificate on the
 * list is revoked whatever the date.
 */
function parseSerialNumber(der: Uint8Array, entry: DerHeader): Uint8Array {
  const serial = entry.tag === Tag.sequence ? parseDerHeader(der, entry.start, entry.end) : undefined;
  const date = serial && serial.end < entry.end ? parseDerHeader(der, serial.end, entry.end) : undefined;
  const isTime = date?.tag === Tag.utcTime || date?.tag === Tag.generalizedTime;
  if (serial?.tag !== Tag.integer || !isTime) {
    throw new CertificateError('has a malformed entry: not a serial number and a revocation date');
  }
  if (date.end < entry.end) requireKnownEntryExtensions(der.subarray(date.end, entry.end));
  const bytes = der.subarray(serial.start, serial.end);
  const [first, second = 0] = bytes;
  const isPadded = bytes.length > 1 && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80));
  // Serial numbers are compared byte by byte, so each must have only one encoding.
  if (first !== undefined && !isPadded) return bytes;
  throw new CertificateError('not DER: has a serial number that is not minimally encoded');
}

import { setImmediate } from 'node:timers/promises';
import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerHeader, parseDer, parseDerHeader } from '../certificate/der.ts';
import { parseObjectIdentifier, Tag } from '../certificate/der-element.ts';
import { isCritical } from '../certificate/structure.ts';
import { MAX_SERIAL_NUMBER_BYTES, SerialNumberSet } from './serial-number-set.ts';

/**
 * Parses the serial numbers of revokedCertificates (RFC 5280 §5.1.2.6).
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

async function forEachEntry(der: Uint8Array, list: DerHeader, onSerial: (serial: Uint8Array) => void): Promise<void> {
  let entries = 0;
  for (let at = list.start; at < list.end; ) {
    const entry = parseDerHeader(der, at, list.end);
    onSerial(parseSerialNumber(der, entry));
    at = entry.end;
    entries += 1;
    if (entries % ENTRIES_PER_TURN === 0) await setImmediate();
  }
}

/** SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }. */
function parseSerialNumber(der: Uint8Array, entry: DerHeader): Uint8Array {
  const serial = entry.tag === Tag.sequence ? parseDerHeader(der, entry.start, entry.end) : undefined;
  const date = serial && parseDerHeader(der, serial.end, entry.end);
  const isTime = date?.tag === Tag.utcTime || date?.tag === Tag.generalizedTime;
  if (serial?.tag !== Tag.integer || !isTime) throw new CertificateError('has a malformed entry');
  if (date.end < entry.end) requireKnownExtensions(der.subarray(date.end, entry.end));
  const bytes = der.subarray(serial.start, serial.end);
  const [first, second = 0] = bytes;
  const isPadded = bytes.length > 1 && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80));
  // Serial numbers are compared byte by byte, so each must have only one encoding.
  if (first === undefined || isPadded) {
    throw new CertificateError('not DER: has a serial number that is not minimally encoded');
  }
  if (bytes.length <= MAX_SERIAL_NUMBER_BYTES) return bytes;
  throw new CertificateError(`has a serial number of ${bytes.length} bytes`);
}

/** reasonCode, holdInstructionCode and invalidityDate: the certificate is revoked whatever their values are. */
const knownExtensions: ReadonlySet<string> = new Set(['2.5.29.21', '2.5.29.23', '2.5.29.24']);
const CERTIFICATE_ISSUER = '2.5.29.29';

function requireKnownExtensions(extensions: Uint8Array): void {
  if (isOneReasonCode(extensions)) return;
  for (const extension of parseDer(extensions).children) {
    const [type] = extension.children;
    const id = type?.tag === Tag.objectIdentifier ? parseObjectIdentifier(type.content) : 'none';
    if (id === CERTIFICATE_ISSUER) {
      throw new CertificateError('is an indirect CRL: an entry has a certificateIssuer (RFC 5280 §5.3.3)');
    }
    if (isCritical(extension) && !knownExtensions.has(id)) {
      throw new CertificateError(`has an entry with an unknown critical extension: ${id} (RFC 5280 §5.3)`);
    }
  }
}

/** The extensions of nearly every entry that has any: one non-critical reasonCode, without its last byte. */
const REASON_CODE = Buffer.from('300c300a0603551d150403' + '0a01', 'hex');

function isOneReasonCode(extensions: Uint8Array): boolean {
  if (extensions.length !== REASON_CODE.length + 1) return false;
  return Buffer.compare(extensions.subarray(0, REASON_CODE.length), REASON_CODE) === 0;
}

import { LRUCache } from 'lru-cache';
import {
  type ClientCertificate,
  MAX_CERTIFICATE_OCTETS,
  parseClientCertificate,
} from '../certificate/client-certificate.ts';
import { ForwardingError } from './forwarding-error.ts';
import type { HeaderFormat } from './header-format.ts';

/**
 * Decodes and parses a forwarded certificate.
 *
 * @throws {CertificateError} when it is not one acceptable certificate
 * @throws {ForwardingError} too_large
 */
export type ReadCertificate = (encoded: string) => ClientCertificate;

const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_OCTETS = 32 * 1024 * 1024;

/**
 * A reader that finds a certificate which it has seen before by the very text of its header, and parses only new
 * ones: parsing costs as much as ten requests. What it remembers does not depend on time; validity is asked each time.
 */
export function createCertificateReader(format: HeaderFormat): ReadCertificate {
  const remembered = new LRUCache<string, ClientCertificate>({
    max: MAX_REMEMBERED,
    maxSize: MAX_REMEMBERED_OCTETS,
    sizeCalculation: (certificate, encoded) => encoded.length + octetsOf(certificate),
  });
  return (encoded) => {
    const known = remembered.get(encoded);
    if (known) return known;
    // A copy of its own: a small Buffer is a view into a slab that it would keep alive as long as it is remembered.
    const der = new Uint8Array(format.decode(encoded));
    if (der.length > MAX_CERTIFICATE_OCTETS) {
      throw new ForwardingError('too_large', `the certificate has ${der.length} octets`);
    }
    const certificate = parseClientCertificate(der);
    remembered.set(encoded, certificate);
    return certificate;
  };
}

/** What a string, and an object with its fields, takes besides its characters. */
const STRING_OVERHEAD = 48;
const OBJECT_OVERHEAD = 2048;

/** About as much as a parsed certificate holds in memory. */
function octetsOf({ der, subjectText, alternativeNames }: ClientCertificate): number {
  const names = Object.values(alternativeNames).flat();
  const inNames = names.reduce((octets, name) => octets + name.length + STRING_OVERHEAD, 0);
  // The subject is there as text, parsed, and in its canonical form, in characters of two octets.
  return OBJECT_OVERHEAD + der.length + 6 * subjectText.length + inNames;
}

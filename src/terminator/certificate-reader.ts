import { createBoundedCache } from '../cache/bounded-cache.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import {
  type ClientCertificate,
  MAX_CERTIFICATE_BYTES,
  parseClientCertificate,
} from '../pki/certificate/client-certificate.ts';
import type { DecodedCertificates, HeaderFormat } from './format.ts';
import { type HeaderFormatName, headerFormats } from './formats.ts';
import type { EncodedCertificates } from './forwarded-certificate.ts';
import { ForwardingError } from './forwarding-error.ts';
import { recognizeEncoding, recognizeHex } from './recognize-encoding.ts';

/** The forwarded certificate, parsed, and its chain as DER, not parsed. */
export interface DecodedChain {
  readonly certificate: ClientCertificate;
  readonly chain: readonly Uint8Array[];
}

/**
 * Decodes a forwarded certificate and its chain, and parses the certificate.
 *
 * @throws {CertificateError} when the value is not exactly one acceptable certificate
 * @throws {ForwardingError} too_large
 */
export type CertificateReader = (forwarded: EncodedCertificates) => DecodedChain;

const CACHE_LIMITS = { entries: 10_000, bytes: 64 * 1024 * 1024 };

/**
 * Creates a reader with a cache, keyed by the exact header values: parsing costs as much as ten requests. Cached results
 * do not depend on time; validity is checked on every request.
 */
export function createCertificateReader(name: HeaderFormatName, cacheLimits = CACHE_LIMITS): CertificateReader {
  const cache = createBoundedCache<DecodedChain>(cacheLimits);
  return (forwarded) => {
    const { encoded, encodedChain } = forwarded;
    // A header value cannot contain a line feed, so the key is unambiguous.
    const key = encodedChain === undefined ? encoded : `${encoded}\n${encodedChain}`;
    const cached = cache.get(key);
    if (cached) return cached;
    const decoded = decodeChain(forwarded, name);
    cache.set(key, decoded, key.length + memoryBytes(decoded));
    return decoded;
  };
}

/**
 * Decodes and parses without a cache.
 *
 * @throws as {@link CertificateReader}
 */
export function decodeChain(forwarded: EncodedCertificates, name: HeaderFormatName): DecodedChain {
  const { leaf, chain } = decodeFields(forwarded, name);
  if (leaf.length > MAX_CERTIFICATE_BYTES) {
    const limit = `at most ${MAX_CERTIFICATE_BYTES} are accepted`;
    throw new ForwardingError('certificate_too_large', `the certificate is ${leaf.length} bytes long; ${limit}`);
  }
  return { certificate: parseClientCertificate(leaf), chain };
}

function decodeFields({ encoded, encodedChain }: EncodedCertificates, name: HeaderFormatName): DecodedCertificates {
  const format: HeaderFormat = headerFormats[name];
  const { leaf, chain } = decodeLeaf(encoded, name);
  const ownField = encodedChain === undefined ? [] : (format.chain?.decode(encodedChain) ?? []);
  // Copies: a small Buffer is a view into Node's pool, which a cached view would keep alive.
  return { leaf: new Uint8Array(leaf), chain: [...chain, ...ownField].map((der) => new Uint8Array(der)) };
}

function decodeLeaf(encoded: string, name: HeaderFormatName): DecodedCertificates {
  const hex = recognizeHex(encoded);
  if (hex !== undefined) throw malformed(`this is ${hex}`);
  try {
    return headerFormats[name].decode(encoded);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const otherFormat = recognizeEncoding(encoded, name);
    throw malformed(otherFormat === undefined ? error.message : `${error.message}; ${otherFormat}`);
  }
}

/** A value that is not what the configured terminator writes. */
function malformed(reason: string): CertificateError {
  return new CertificateError(reason, { code: 'certificate_header_malformed' });
}

function textBytes(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + text.length + STRING_OVERHEAD, 0);
}

/** The memory of a string, and of an object with its fields, in addition to its characters. */
const STRING_OVERHEAD = 48;
const OBJECT_OVERHEAD = 2048;

/** An attribute of a name takes four objects; in 16 KiB there can be 1,500 of them. */
const ATTRIBUTE_OVERHEAD = 320;

/** Estimates the memory, in bytes, that a cached result takes. */
function memoryBytes({ certificate, chain }: DecodedChain): number {
  const { der, subject, issuer, alternativeNames, otherNames, crlDistributionPoints } = certificate;
  // A path through a certificate of the chain holds its parsed form for as long as this entry is cached.
  const chainBytes = chain.reduce((bytes, { length }) => bytes + 4 * length + OBJECT_OVERHEAD, 0);
  const { dns, uri, ip, email } = alternativeNames;
  const nameBytes = textBytes(dns) + textBytes(uri) + textBytes(ip) + textBytes(email);
  // A canonical form takes two bytes a character; the key and its value are an entry of a map.
  const { named = [], reasonsByName } = crlDistributionPoints;
  const pointBytes = [...named, ...reasonsByName.keys()].reduce(
    (bytes, text) => bytes + 2 * text.length + 2 * STRING_OVERHEAD,
    0,
  );
  // These names are held parsed, and in a canonical form, which can be longer and takes two bytes a character.
  const distinguishedNameBytes = [subject, issuer, ...otherNames.directory].reduce(
    (bytes, { rdns, canonical = '' }) => {
      const attributes = rdns.reduce((count, rdn) => count + Math.max(rdn.length, 1), 0);
      return bytes + 2 * canonical.length + ATTRIBUTE_OVERHEAD * attributes;
    },
    0,
  );
  return OBJECT_OVERHEAD + chainBytes + 3 * der.length + distinguishedNameBytes + nameBytes + pointBytes;
}

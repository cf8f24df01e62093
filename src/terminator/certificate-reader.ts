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
import { ForwardingError } from './raw-headers.ts';
import { recognizeEncoding, recognizeHex } from './recognize-encoding.ts';

/** What the terminator forwarded, decoded. Only the certificate was parsed; the chain is as it came. */
export interface DecodedChain {
  readonly certificate: ClientCertificate;
  readonly chain: readonly Uint8Array[];
}

/**
 * Decodes a forwarded certificate and the chain beside it, and parses the certificate.
 *
 * @throws {CertificateError} when it is not one acceptable certificate
 * @throws {ForwardingError} too_large
 */
export type CertificateReader = (forwarded: EncodedCertificates) => DecodedChain;

const REMEMBERED = { entries: 10_000, bytes: 32 * 1024 * 1024 };

/**
 * A reader that finds a certificate which it has seen before by the very text of its header, and parses only new
 * ones: parsing costs as much as ten requests. What it remembers does not depend on time; validity is asked each time.
 */
export function createCertificateReader(name: HeaderFormatName): CertificateReader {
  const remembered = createBoundedCache<DecodedChain>(REMEMBERED);
  return (forwarded) => {
    const { encoded, encodedChain } = forwarded;
    // No field's value holds a line feed, so two pairs never make one text.
    const text = encodedChain === undefined ? encoded : `${encoded}\n${encodedChain}`;
    const known = remembered.get(text);
    if (known) return known;
    const read = decodeChain(forwarded, name);
    remembered.set(text, read, text.length + octetsOf(read));
    return read;
  };
}

/**
 * Decodes and parses, and remembers nothing.
 *
 * @throws as {@link CertificateReader}
 */
export function decodeChain(forwarded: EncodedCertificates, name: HeaderFormatName): DecodedChain {
  const { leaf, chain } = decode(forwarded, name);
  if (leaf.length > MAX_CERTIFICATE_BYTES) {
    throw new ForwardingError('too_large', `the certificate has ${leaf.length} octets`);
  }
  return { certificate: parseClientCertificate(leaf), chain };
}

function decode({ encoded, encodedChain }: EncodedCertificates, name: HeaderFormatName): DecodedCertificates {
  const format: HeaderFormat = headerFormats[name];
  const { leaf, chain } = decodeLeaf(encoded, name);
  const beside = encodedChain === undefined ? [] : (format.chain?.decode(encodedChain) ?? []);
  // Copies of their own: a small Buffer is a view into a slab that it would keep alive as long as it is remembered.
  return { leaf: new Uint8Array(leaf), chain: [...chain, ...beside].map((der) => new Uint8Array(der)) };
}

function decodeLeaf(encoded: string, name: HeaderFormatName): DecodedCertificates {
  const hex = recognizeHex(encoded);
  if (hex !== undefined) throw new CertificateError(`this is ${hex}`);
  try {
    return headerFormats[name].decode(encoded);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const recognised = recognizeEncoding(encoded, name);
    throw recognised === undefined ? error : new CertificateError(`${error.message}; ${recognised}`);
  }
}

/** What a string, and an object with its fields, takes besides its characters. */
const STRING_OVERHEAD = 48;
const OBJECT_OVERHEAD = 2048;

/** About as much as parsed certificates hold in memory. */
function octetsOf({ certificate, chain }: DecodedChain): number {
  const { der, subject, issuer, alternativeNames } = certificate;
  // A path that goes through one of the chain holds it parsed, for as long as this is remembered.
  const beside = chain.reduce((octets, { length }) => octets + 4 * length + OBJECT_OVERHEAD, 0);
  const names = Object.values(alternativeNames).flat();
  const inNames = names.reduce((octets, name) => octets + name.length + STRING_OVERHEAD, 0);
  // The names of subject and issuer are there parsed, and in a canonical form that can be longer, in two octets each.
  const canonical = [subject, issuer].reduce((octets, name) => octets + 2 * (name.canonical?.length ?? 0), 0);
  return OBJECT_OVERHEAD + beside + 3 * der.length + canonical + inNames;
}

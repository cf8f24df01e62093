import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerHeader, parseDer, parseDerHeader } from '../certificate/der.ts';
import { type DerElement, Tag } from '../certificate/der-element.ts';
import { parseBitString, parseTime } from '../certificate/der-values.ts';
import { decodeDistinguishedName, type EncodedName } from '../certificate/names/distinguished-name.ts';
import { acceptedSignatureAlgorithm, type SignatureAlgorithm } from '../certificate/signature-algorithms.ts';
import { CrlExtensionOid, parseCrlExtensions, parseCrlNumber } from './crl-extensions.ts';
import { type CrlScope, parseCrlScope } from './crl-scope.ts';
import { parseRevokedCertificates } from './revoked-certificates.ts';
import type { SerialNumberSet } from './serial-number-set.ts';

/** The contents of a CRL (RFC 5280 §5) that lists certificates of its own issuer only. */
export interface Crl {
  readonly scope: CrlScope;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly number: bigint | undefined;
  readonly revoked: SerialNumberSet;
}

/** A CRL whose signature is not verified yet. The rest of it is interpreted only afterwards: see {@link parseCrl}. */
export interface SignedCrl {
  readonly issuer: EncodedName;
  readonly algorithm: SignatureAlgorithm;
  /** The signed bytes and their signature. Views into the DER. */
  readonly signed: { readonly data: Uint8Array; readonly signature: Uint8Array };
  readonly fields: LocatedFields;
}

const EXTENSIONS = 0xa0;

/**
 * Parses what identifies the signer of a CRL. A CRL can be of any size and come from an unauthenticated server, so that
 * its content, with which the work grows, is not interpreted before the signature is verified.
 *
 * @throws {CertificateError} when it is not DER, not a CRL, or signed with an algorithm that is not accepted
 */
export function parseSignedCrl(der: Uint8Array): SignedCrl {
  const outer = parseDerHeader(der, 0, der.length);
  if (outer.end !== der.length) throw new CertificateError(`${der.length - outer.end} trailing bytes after the CRL`);
  const [tbs, algorithm, signature, ...more] = headersIn(der, outer, CRL_FIELDS);
  if (outer.tag !== Tag.sequence || tbs?.tag !== Tag.sequence || signature?.tag !== Tag.bitString || more.length > 0) {
    throw new CertificateError('not a CRL: its structure does not match RFC 5280 §5.1');
  }
  const fields = locateFields(der, tbs);
  return {
    algorithm: parseSignatureAlgorithm(algorithm && shortElementAt(der, algorithm), fields.algorithm),
    issuer: decodeDistinguishedName(fields.issuer),
    signed: {
      data: der.subarray(tbs.at, tbs.end),
      signature: parseBitString(shortElementAt(der, signature)).bytes,
    },
    fields,
  };
}

/**
 * Parses the contents of a CRL. Delta CRLs and indirect CRLs are rejected. It yields to the event loop in between, since a
 * CRL can have a million entries.
 *
 * @param signed whose signature has been verified
 * @throws {CertificateError} when it is malformed, or no certificate can be checked against such a CRL
 */
export async function parseCrl({ fields }: SignedCrl): Promise<Crl> {
  const extensions = parseCrlExtensions(fields.extensions && elementAt(fields.der, fields.extensions));
  return {
    scope: parseCrlScope(extensions.get(CrlExtensionOid.issuingDistributionPoint), fields.issuer),
    ...parseUpdates(fields),
    number: parseCrlNumber(extensions.get(CrlExtensionOid.crlNumber)),
    revoked: await parseRevokedCertificates(fields.der, fields.revoked),
  };
}

function parseSignatureAlgorithm(outer: DerElement | undefined, inner: DerElement): SignatureAlgorithm {
  if (!outer || Buffer.compare(outer.encoded, inner.encoded) !== 0) {
    throw new CertificateError(
      'names different signature algorithms inside and outside the signed part (RFC 5280 §5.1.1.2)',
    );
  }
  const accepted = acceptedSignatureAlgorithm(outer);
  if (accepted) return accepted;
  throw new CertificateError('is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)');
}

function parseUpdates(fields: { readonly thisUpdate: DerElement; readonly nextUpdate: DerElement }) {
  const [thisUpdate, nextUpdate] = [parseTime(fields.thisUpdate), parseTime(fields.nextUpdate)];
  if (nextUpdate >= thisUpdate) return { thisUpdate, nextUpdate };
  const [earlier, later] = [nextUpdate, thisUpdate].map((time) => new Date(time).toISOString());
  throw new CertificateError(`is never valid: its nextUpdate, ${earlier}, is before its thisUpdate, ${later}`);
}

interface LocatedHeader extends DerHeader {
  /** The offset of the header. */
  readonly at: number;
}

/** The fields of a CertificateList and of a TBSCertList. */
const CRL_FIELDS = 3;
const TBS_FIELDS = 7;

/** The first elements within another: all, or one more than the expected number. */
function headersIn(der: Uint8Array, { start, end }: DerHeader, expected: number): LocatedHeader[] {
  const headers: LocatedHeader[] = [];
  for (let at = start; at < end && headers.length <= expected; ) {
    const header = parseDerHeader(der, at, end);
    headers.push({ ...header, at });
    at = header.end;
  }
  return headers;
}

function elementAt(der: Uint8Array, { at, end }: LocatedHeader): DerElement {
  return parseDer(der.subarray(at, end));
}

/** The fields that are parsed before the signature is verified have fewer than 10,000 bytes in every real CRL. */
const MAX_FIELD_BYTES = 65_536;

function shortElementAt(der: Uint8Array, header: LocatedHeader): DerElement {
  const length = header.end - header.at;
  if (length <= MAX_FIELD_BYTES) return elementAt(der, header);
  throw new CertificateError(
    `has an issuer, algorithm or signature of ${length} bytes; at most ${MAX_FIELD_BYTES} are accepted`,
  );
}

/** The fields of a TBSCertList. Those that can be long are only located (RFC 5280 §5.1.2). */
interface LocatedFields {
  readonly der: Uint8Array;
  readonly algorithm: DerElement;
  readonly issuer: DerElement;
  readonly thisUpdate: DerElement;
  readonly nextUpdate: DerElement;
  readonly revoked: LocatedHeader | undefined;
  readonly extensions: LocatedHeader | undefined;
}

function locateFields(der: Uint8Array, tbs: DerHeader): LocatedFields {
  const all = headersIn(der, tbs, TBS_FIELDS);
  const version = all[0]?.tag === Tag.integer ? shortElementAt(der, all[0]) : undefined;
  if (version) requireKnownVersion(version);
  const [algorithm, issuer, thisUpdate, nextUpdate, ...optional] = version ? all.slice(1) : all;
  const revoked = optional[0]?.tag === Tag.sequence ? optional.shift() : undefined;
  const extensions = optional[0]?.tag === EXTENSIONS ? optional.shift() : undefined;
  if (!algorithm || !issuer || !thisUpdate || optional.length > 0) {
    throw new CertificateError('not a CRL: its TBSCertList does not match RFC 5280 §5.1.2');
  }
  if (nextUpdate?.tag !== Tag.utcTime && nextUpdate?.tag !== Tag.generalizedTime) {
    throw new CertificateError('has no nextUpdate, so it is unknown when it expires (RFC 5280 §5.1.2.5)');
  }
  return {
    der,
    algorithm: shortElementAt(der, algorithm),
    issuer: shortElementAt(der, issuer),
    thisUpdate: shortElementAt(der, thisUpdate),
    nextUpdate: shortElementAt(der, nextUpdate),
    revoked,
    extensions,
  };
}

/** v1 is 0 and usually omitted, v2 is 1 (RFC 5280 §5.1.2.1). Extensions of a v1 CRL are processed as well. */
function requireKnownVersion({ content }: DerElement): void {
  if (content.length === 1 && (content[0] === 0 || content[0] === 1)) return;
  throw new CertificateError('has an unknown version: neither v1 nor v2 (RFC 5280 §5.1.2.1)');
}

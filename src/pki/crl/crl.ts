import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerHeader, parseDer, parseDerHeader } from '../certificate/der.ts';
import { type DerElement, parseObjectIdentifier, parseTime, Tag } from '../certificate/der-element.ts';
import { decodeDistinguishedName, type EncodedName } from '../certificate/names/distinguished-name.ts';
import { acceptedSignatureAlgorithm, type SignatureAlgorithm } from '../certificate/signature-algorithms.ts';
import { isCritical, parseExtensionValue } from '../certificate/structure.ts';
import { parseRevokedCertificates } from './revoked-certificates.ts';
import type { SerialNumberSet } from './serial-number-set.ts';

/** The contents of a full CRL (RFC 5280 §5). */
export interface Crl {
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: SerialNumberSet;
}

/** A parsed CRL whose signature is not verified yet. */
export interface SignedCrl extends Crl {
  readonly issuer: EncodedName;
  readonly algorithm: SignatureAlgorithm;
  /** The signed bytes and their signature. Views into the DER. */
  readonly signed: { readonly data: Uint8Array; readonly signature: Uint8Array };
}

const EXTENSIONS = 0xa0;

/**
 * Parses the DER of a full CRL. CRLs that can be incomplete are rejected: delta CRLs, indirect CRLs, and CRLs with an
 * issuing distribution point. It yields to the event loop in between, since a CRL can have a million entries.
 *
 * @throws {CertificateError} when it is not DER, not a full CRL, or has no nextUpdate
 */
export async function parseCrl(der: Uint8Array): Promise<SignedCrl> {
  const outer = parseDerHeader(der, 0, der.length);
  if (outer.end !== der.length) throw new CertificateError(`${der.length - outer.end} trailing bytes after the CRL`);
  const [tbs, algorithm, signature, ...more] = headersIn(der, outer);
  if (outer.tag !== Tag.sequence || tbs?.tag !== Tag.sequence || signature?.tag !== Tag.bitString || more.length > 0) {
    throw new CertificateError('not a CRL: its structure does not match RFC 5280 §5.1');
  }
  const fields = parseFields(der, tbs);
  const element = algorithm && elementAt(der, algorithm);
  if (!element || Buffer.compare(element.encoded, fields.algorithm.encoded) !== 0) {
    throw new CertificateError(
      'names different signature algorithms inside and outside the signed part (RFC 5280 §5.1.1.2)',
    );
  }
  const accepted = acceptedSignatureAlgorithm(element);
  if (!accepted) throw new CertificateError('is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)');
  requireFullCrl(fields.extensions);
  return {
    issuer: decodeDistinguishedName(fields.issuer),
    thisUpdate: parseTime(fields.thisUpdate),
    nextUpdate: parseTime(fields.nextUpdate),
    revoked: await parseRevokedCertificates(der, fields.revoked),
    algorithm: accepted,
    signed: { data: der.subarray(tbs.at, tbs.end), signature: elementAt(der, signature).content.subarray(1) },
  };
}

interface LocatedHeader extends DerHeader {
  /** The offset of the header. */
  readonly at: number;
}

function headersIn(der: Uint8Array, { start, end }: DerHeader): LocatedHeader[] {
  const headers: LocatedHeader[] = [];
  for (let at = start; at < end; ) {
    const header = parseDerHeader(der, at, end);
    headers.push({ ...header, at });
    at = header.end;
  }
  return headers;
}

function elementAt(der: Uint8Array, { at, end }: LocatedHeader): DerElement {
  return parseDer(der.subarray(at, end));
}

/** All fields of a TBSCertList. The entries are only located, since there can be many (RFC 5280 §5.1.2). */
function parseFields(der: Uint8Array, tbs: DerHeader) {
  const all = headersIn(der, tbs);
  const version = all[0]?.tag === Tag.integer ? elementAt(der, all[0]).content : undefined;
  const [algorithm, issuer, thisUpdate, nextUpdate, ...optional] = version ? all.slice(1) : all;
  const revoked = optional[0]?.tag === Tag.sequence ? optional.shift() : undefined;
  const extensions = optional[0]?.tag === EXTENSIONS ? optional.shift() : undefined;
  const isKnownVersion = version === undefined || (version.length === 1 && version[0] === 1);
  if (!isKnownVersion || !algorithm || !issuer || !thisUpdate || optional.length > 0) {
    throw new CertificateError('not a CRL: its TBSCertList does not match RFC 5280 §5.1.2');
  }
  if (nextUpdate?.tag !== Tag.utcTime && nextUpdate?.tag !== Tag.generalizedTime) {
    throw new CertificateError('has no nextUpdate, so it is unknown when it expires (RFC 5280 §5.1.2.5)');
  }
  return {
    algorithm: elementAt(der, algorithm),
    issuer: elementAt(der, issuer),
    thisUpdate: elementAt(der, thisUpdate),
    nextUpdate: elementAt(der, nextUpdate),
    revoked,
    extensions: extensions && elementAt(der, extensions),
  };
}

const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const DELTA_CRL_INDICATOR = '2.5.29.27';
/** authorityKeyIdentifier and cRLNumber: neither affects which certificates are revoked. */
const knownExtensions: ReadonlySet<string> = new Set(['2.5.29.35', '2.5.29.20']);
/** indirectCRL [4] IMPLICIT BOOLEAN. */
const INDIRECT_CRL = 0x84;

/**
 * Rejects a CRL that may not list every certificate that its issuer revoked (RFC 5280 §5.2).
 *
 * @param extensions crlExtensions, [0], or undefined if there are none
 * @throws {CertificateError} naming the extension
 */
function requireFullCrl(extensions: DerElement | undefined): void {
  for (const extension of extensions?.children[0]?.children ?? []) {
    const [type] = extension.children;
    if (type?.tag !== Tag.objectIdentifier) throw new CertificateError('has an extension without an object identifier');
    const id = parseObjectIdentifier(type.content);
    if (id === DELTA_CRL_INDICATOR) {
      throw new CertificateError('is a delta CRL, which lists only changes (RFC 5280 §5.2.4)');
    }
    if (id === ISSUING_DISTRIBUTION_POINT) throw incompleteCrl(extension);
    if (isCritical(extension) && !knownExtensions.has(id)) {
      throw new CertificateError(`has an unknown critical extension: ${id} (RFC 5280 §5.2)`);
    }
  }
}

function incompleteCrl(extension: DerElement): CertificateError {
  if (parseExtensionValue(extension).children.some(({ tag }) => tag === INDIRECT_CRL)) {
    return new CertificateError('is an indirect CRL, which covers other issuers (RFC 5280 §5.2.5)');
  }
  return new CertificateError(
    'has an issuing distribution point, so it may be incomplete (RFC 5280 §5.2.5); configure the CA to issue full CRLs',
  );
}

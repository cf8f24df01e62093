import { CertificateError } from '../certificate/certificate-error.ts';
import {
  type DerElement,
  type DerHeader,
  parseDer,
  parseDerHeader,
  parseObjectIdentifier,
  parseTime,
  Tag,
} from '../certificate/der.ts';
import { type DistinguishedName, decodeDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { acceptedSignatureAlgorithm, type SignatureAlgorithm } from '../certificate/signature-algorithms.ts';
import { isCritical, parseExtensionValue } from '../certificate/structure.ts';
import { parseRevokedCertificates, type SerialNumberSet } from './revoked-certificates.ts';

/** What a full CRL says (RFC 5280 §5). */
export interface Crl {
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: SerialNumberSet;
}

/** As it came: nobody has checked its signature yet. */
export interface SignedCrl extends Crl {
  readonly issuer: DistinguishedName;
  readonly algorithm: SignatureAlgorithm;
  /** What is signed, and by what. Views into the DER. */
  readonly signed: { readonly data: Uint8Array; readonly signature: Uint8Array };
}

const EXTENSIONS = 0xa0;

/**
 * Reads the DER of a full CRL. What covers a part only, or only changes, is refused: delta CRLs, indirect CRLs, and
 * those with an issuing distribution point. It lets others work in between, since there may be a million entries.
 *
 * @throws {CertificateError} when it is not DER, not a full CRL, or has no nextUpdate
 */
export async function parseCrl(der: Uint8Array): Promise<SignedCrl> {
  const outer = parseDerHeader(der, 0, der.length);
  if (outer.end !== der.length) throw new CertificateError(`${der.length - outer.end} trailing bytes after the CRL`);
  const [tbs, algorithm, signature, ...more] = headersIn(der, outer);
  if (outer.tag !== Tag.sequence || tbs?.tag !== Tag.sequence || signature?.tag !== Tag.bitString || more.length > 0) {
    throw new CertificateError('not a CRL: its outline is not that of RFC 5280 §5.1');
  }
  const fields = readFields(der, tbs);
  const element = algorithm && elementAt(der, algorithm);
  if (!element || Buffer.compare(element.encoded, fields.algorithm.encoded) !== 0) {
    throw new CertificateError('names one signature algorithm inside and another outside (RFC 5280 §5.1.1.2)');
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

interface Placed extends DerHeader {
  /** Where the header begins. */
  readonly at: number;
}

function headersIn(der: Uint8Array, { start, end }: DerHeader): Placed[] {
  const headers: Placed[] = [];
  for (let at = start; at < end; ) {
    const header = parseDerHeader(der, at, end);
    headers.push({ ...header, at });
    at = header.end;
  }
  return headers;
}

function elementAt(der: Uint8Array, { at, end }: Placed): DerElement {
  return parseDer(der.subarray(at, end));
}

/** Everything in a TBSCertList but the entries, which are many (RFC 5280 §5.1.2). */
function readFields(der: Uint8Array, tbs: DerHeader) {
  const all = headersIn(der, tbs);
  const version = all[0]?.tag === Tag.integer ? elementAt(der, all[0]).content : undefined;
  const [algorithm, issuer, thisUpdate, nextUpdate, ...optional] = version ? all.slice(1) : all;
  const revoked = optional[0]?.tag === Tag.sequence ? optional.shift() : undefined;
  const extensions = optional[0]?.tag === EXTENSIONS ? optional.shift() : undefined;
  const isKnownVersion = version === undefined || (version.length === 1 && version[0] === 1);
  if (!isKnownVersion || !algorithm || !issuer || !thisUpdate || optional.length > 0) {
    throw new CertificateError('not a CRL: its TBSCertList is not that of RFC 5280 §5.1.2');
  }
  if (nextUpdate?.tag !== Tag.utcTime && nextUpdate?.tag !== Tag.generalizedTime) {
    throw new CertificateError('has no nextUpdate, so nobody knows how long it counts (RFC 5280 §5.1.2.5)');
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
/** authorityKeyIdentifier and cRLNumber: neither changes what the list says. */
const knownExtensions: ReadonlySet<string> = new Set(['2.5.29.35', '2.5.29.20']);
/** indirectCRL [4] IMPLICIT BOOLEAN. */
const INDIRECT_CRL = 0x84;

/**
 * Refuses a CRL that does not list all that its issuer revoked (RFC 5280 §5.2).
 *
 * @param extensions crlExtensions, [0], or undefined where there are none
 * @throws {CertificateError} naming the extension
 */
export function requireFullCrl(extensions: DerElement | undefined): void {
  for (const extension of extensions?.children[0]?.children ?? []) {
    const [type] = extension.children;
    if (type?.tag !== Tag.objectIdentifier) throw new CertificateError('has an extension without an identifier');
    const id = parseObjectIdentifier(type.content);
    if (id === DELTA_CRL_INDICATOR)
      throw new CertificateError('is a delta CRL, which lists changes only (RFC 5280 §5.2.4)');
    if (id === ISSUING_DISTRIBUTION_POINT) throw partialCrl(extension);
    if (isCritical(extension) && !knownExtensions.has(id)) {
      throw new CertificateError(`has a critical extension that is not read: ${id} (RFC 5280 §5.2)`);
    }
  }
}

function partialCrl(extension: DerElement): CertificateError {
  if (parseExtensionValue(extension).children.some(({ tag }) => tag === INDIRECT_CRL)) {
    return new CertificateError('is an indirect CRL, which speaks for other issuers (RFC 5280 §5.2.5)');
  }
  return new CertificateError(
    'has an issuing distribution point, so it may list a part only (RFC 5280 §5.2.5); have the CA write a full CRL',
  );
}

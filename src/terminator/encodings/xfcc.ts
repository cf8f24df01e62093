import { createHash } from 'node:crypto';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../format.ts';
import { decodeConcatenatedPem, encodeEscapedPem, unescapePem } from './pem.ts';
import { parseElement, type XfccPair } from './xfcc-element.ts';

/** How to fix the two most common mistakes, in the settings of the proxy. Each text completes an error message. */
export interface XfccFixes {
  readonly certificateMissing: string;
  readonly secondElement: string;
}

/**
 * Decodes Envoy's `x-forwarded-client-cert` (XFCC), which must be exactly one element with exactly one certificate.
 *
 * Envoy does not quote `URI=` and `DNS=`, so the holder of a certificate controls the text after them: pairs and whole
 * elements, including the last one. Three rules make this harmless, whichever details are enabled:
 *
 * - `Hash` precedes everything that the holder controls, is not repeated, and must be the SHA-256 of `Cert`.
 * - Pairs must be in Envoy's order, so only further names can follow a SAN, and names are not used.
 * - A second element is rejected. A client's own header, to which Envoy appended (`APPEND_FORWARD`), would be the first
 *   element. It cannot hide the second one inside a quoted value: see {@link parseElement}.
 *
 * A key that is not in the table has no place in that order and is rejected. Details are enabled only by the operator,
 * so a new version of Envoy does not add keys by itself. The rest of a chain is only a hint: forging it would add
 * intermediates that complete no path.
 *
 * @throws {CertificateError}
 */
export function decodeXfcc(value: string, fixes: XfccFixes): DecodedCertificates {
  rejectJson(value);
  const { pairs, anotherFollows } = parseElement(value);
  if (anotherFollows) throw new CertificateError(`more than one element: ${fixes.secondElement}`);
  requireOrder(pairs);
  const values = new Map(pairs.map((pair) => [pair.key, pair.value]));
  const escaped = values.get('cert');
  if (escaped === undefined) throw new CertificateError(`no Cert: ${fixes.certificateMissing}`);
  const leaf = decodeForwardedPem(unescapePem(escaped));
  requireHash(leaf, values.get('hash'));
  return { leaf, chain: decodeChainDetail(values.get('chain'), leaf) };
}

function rejectJson(value: string): void {
  if (value.startsWith('[') || value.startsWith('{')) {
    throw new CertificateError(
      'this is the JSON form, which is not supported: remove format: JSON from set_current_client_cert_details',
    );
  }
}

interface Detail {
  readonly key: string;
  readonly quoted: boolean;
  readonly repeats: boolean;
}

/** Every key that Envoy 1.7 to 1.40 writes, in Envoy's order. */
const details: readonly Detail[] = [
  { key: 'By', quoted: false, repeats: true },
  { key: 'Hash', quoted: false, repeats: false },
  { key: 'Cert', quoted: true, repeats: false },
  { key: 'Chain', quoted: true, repeats: false },
  { key: 'Subject', quoted: true, repeats: false },
  { key: 'URI', quoted: false, repeats: true },
  { key: 'DNS', quoted: false, repeats: true },
  { key: 'Issuer', quoted: true, repeats: false },
];

function requireOrder(pairs: readonly XfccPair[]): void {
  let previous = -1;
  for (const { key, quoted } of pairs) {
    const place = details.findIndex((detail) => detail.key.toLowerCase() === key);
    const detail = details[place];
    if (!detail) throw new CertificateError(`"${key}" is not a key that Envoy is known to write`);
    if (quoted !== detail.quoted) throw misplaced(detail.key, quoted ? 'is quoted' : 'is not quoted');
    if (place < previous) throw misplaced(detail.key, `follows ${details[previous]?.key}`);
    if (place === previous && !detail.repeats) throw misplaced(detail.key, 'is repeated');
    previous = place;
  }
}

function misplaced(key: string, problem: string): CertificateError {
  return new CertificateError(
    `${key} ${problem}, which Envoy does not write: a name in the certificate may have forged it; ` +
      'remove uri and dns from set_current_client_cert_details',
  );
}

function requireHash(leaf: Uint8Array, hash: string | undefined): void {
  if (hash === undefined) throw new CertificateError('no Hash, which Envoy always writes');
  if (hash !== sha256Hex(leaf)) {
    throw new CertificateError('Hash is not the SHA-256 of Cert in lower-case hex: they are of different certificates');
  }
}

/** Envoy's `Chain` is what the client presented: the leaf, then the rest. */
function decodeChainDetail(value: string | undefined, leaf: Uint8Array): readonly Uint8Array[] {
  if (value === undefined) return [];
  const { leaf: first, chain } = decodeConcatenatedPem(unescapePem(value));
  if (Buffer.compare(first, leaf) === 0) return chain;
  throw new CertificateError('the first certificate of Chain is not the one of Cert');
}

/** Encodes a certificate as one element, with the details that the shipped configuration of Envoy enables. */
export function encodeXfcc(der: Uint8Array): string {
  return `Hash=${sha256Hex(der)};Cert="${encodeEscapedPem(der)}"`;
}

/** Encodes a certificate in the JSON form, which {@link decodeXfcc} rejects. */
export function encodeJsonXfcc(der: Uint8Array): string {
  return JSON.stringify([{ hash: sha256Hex(der), cert: encodeEscapedPem(der) }]);
}

function sha256Hex(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

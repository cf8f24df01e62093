import { createHash } from 'node:crypto';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../header-format.ts';
import { decodeConcatenatedPem } from './concatenated-pem.ts';
import { unescapePem } from './escaped-pem.ts';
import { type Pair, readElement } from './forwarded-client-cert-element.ts';

/** How an operator mends what often goes wrong; each ends the sentence that says what is wrong. */
export interface ForwardedClientCertMends {
  readonly certificateMissing: string;
  readonly secondElement: string;
}

interface Detail {
  readonly key: string;
  readonly quoted: boolean;
  readonly repeats: boolean;
}

/** Every key that Envoy 1.7 to 1.40 writes, in the order in which it writes them. */
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

/**
 * Decodes Envoy's `x-forwarded-client-cert` (XFCC) to the one certificate of its one element.
 *
 * Envoy writes `URI=` and `DNS=` without quotes, so whoever chooses a SAN chooses what follows: pairs, whole elements,
 * also the last one. Three rules keep that from mattering, whichever details are on:
 *
 * - `Hash` comes before all that a certificate's holder chose, comes once, and must be the SHA-256 of `Cert`.
 * - Pairs stand in Envoy's order, so nothing behind a SAN is ever read but more names, which are not used.
 * - A second element is refused. A client's own header, to which Envoy appended (`APPEND_FORWARD`), would be the first
 *   one. It cannot swallow the second into a quoted value: see readElement.
 *
 * A key that is not in the table has no place in that order, and is refused: details are on only where an operator
 * turned them on, so a new version of Envoy brings none unasked. What a chain holds behind the leaf is no more than a
 * hint: who forged one would gain intermediates that help no path.
 *
 * @throws {CertificateError}
 */
export function decodeForwardedClientCert(value: string, mends: ForwardedClientCertMends): DecodedCertificates {
  refuseJson(value);
  const { pairs, anotherFollows } = readElement(value);
  if (anotherFollows) throw new CertificateError(`more than one element: ${mends.secondElement}`);
  requireOrder(pairs);
  const values = new Map(pairs.map((pair) => [pair.key, pair.value]));
  const escaped = values.get('cert');
  if (escaped === undefined) throw new CertificateError(`no Cert: ${mends.certificateMissing}`);
  const leaf = decodeForwardedPem(unescapePem(escaped));
  requireHash(leaf, values.get('hash'));
  return { leaf, chain: decodeChain(values.get('chain'), leaf) };
}

function refuseJson(value: string): void {
  if (value.startsWith('[') || value.startsWith('{')) {
    throw new CertificateError(
      'this is the JSON form, which is not read: take format: JSON out of set_current_client_cert_details',
    );
  }
}

function requireOrder(pairs: readonly Pair[]): void {
  let previous = -1;
  for (const { key, quoted } of pairs) {
    const place = details.findIndex((detail) => detail.key.toLowerCase() === key);
    const detail = details[place];
    if (!detail) throw new CertificateError(`"${key}" is not a key that Envoy is known to write`);
    if (quoted !== detail.quoted) throw misplaced(detail.key, quoted ? 'in quotes' : 'without quotes');
    if (place < previous) throw misplaced(detail.key, `behind ${details[previous]?.key}`);
    if (place === previous && !detail.repeats) throw misplaced(detail.key, 'for the second time');
    previous = place;
  }
}

function misplaced(key: string, how: string): CertificateError {
  return new CertificateError(
    `${key} ${how}, as Envoy does not write it: a name of the certificate may have forged it; ` +
      'leave uri and dns out of set_current_client_cert_details',
  );
}

function requireHash(leaf: Uint8Array, hash: string | undefined): void {
  if (hash === undefined) throw new CertificateError('no Hash, which Envoy always writes');
  if (hash !== createHash('sha256').update(leaf).digest('hex')) {
    throw new CertificateError('Hash is not the SHA-256 of Cert, in lower-case hex: they are of two certificates');
  }
}

/** Envoy's `Chain` is what the client sent: the leaf, then the rest. */
function decodeChain(value: string | undefined, leaf: Uint8Array): readonly Uint8Array[] {
  if (value === undefined) return [];
  const { leaf: first, chain } = decodeConcatenatedPem(unescapePem(value));
  if (Buffer.compare(first, leaf) === 0) return chain;
  throw new CertificateError('the first certificate of Chain is not the one of Cert');
}

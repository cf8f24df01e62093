import { createHash } from 'node:crypto';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../format.ts';
import { decodeConcatenatedPem, encodeEscapedPem, unescapePem } from './pem.ts';

/** How an operator mends what often goes wrong; each ends the sentence that says what is wrong. */
export interface XfccFixes {
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
export function decodeXfcc(value: string, fixes: XfccFixes): DecodedCertificates {
  refuseJson(value);
  const { pairs, anotherFollows } = parseElement(value);
  if (anotherFollows) throw new CertificateError(`more than one element: ${fixes.secondElement}`);
  requireOrder(pairs);
  const values = new Map(pairs.map((pair) => [pair.key, pair.value]));
  const escaped = values.get('cert');
  if (escaped === undefined) throw new CertificateError(`no Cert: ${fixes.certificateMissing}`);
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

function requireOrder(pairs: readonly XfccPair[]): void {
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
  if (hash !== sha256Hex(leaf)) {
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

/** One `Key=value`. */
export interface XfccPair {
  /** In lower case: keys are case-insensitive. */
  readonly key: string;
  readonly quoted: boolean;
  /** What stands between the quotes, or the bare value; escapes as they are written. */
  readonly value: string;
}

export interface XfccElement {
  readonly pairs: readonly XfccPair[];
  /** Whether a comma ended it. What comes behind is not read. */
  readonly anotherFollows: boolean;
}

/** A certificate of 16 KiB has room for more names than this; an operator who forwards them all can leave `dns` out. */
const MAX_PAIRS = 2_000;

/**
 * Reads the first element of `x-forwarded-client-cert`: pairs with semicolons between. Elements have commas between.
 * Every character is looked at once. Quotes count only where they enclose a whole value: two readers who disagree
 * about a stray one would see two certificates.
 *
 * @throws {CertificateError} naming the offset
 */
export function parseElement(text: string): XfccElement {
  const pairs: XfccPair[] = [];
  for (let at = 0; ; ) {
    if (pairs.length === MAX_PAIRS) throw new CertificateError(`more than ${MAX_PAIRS} pairs in ${NAME}`);
    const { pair, end } = readPair(text, at);
    pairs.push(pair);
    if (text[end] !== ';') return { pairs, anotherFollows: end < text.length };
    at = end + 1;
  }
}

function readPair(text: string, start: number): { pair: XfccPair; end: number } {
  const key = readKey(text, start);
  const at = start + key.length + 1;
  const quoted = text[at] === '"';
  const end = quoted ? endOfQuoted(text, at) : endOfBare(text, at);
  const value = quoted ? text.slice(at + 1, end - 1) : text.slice(at, end);
  return { pair: { key: key.toLowerCase(), quoted, value }, end };
}

function readKey(text: string, start: number): string {
  const key = /^([A-Za-z]{1,16})=/.exec(text.slice(start, start + 17))?.[1];
  if (key === undefined) throw malformed('no key and equals sign', start);
  return key;
}

function endOfBare(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === ';' || character === ',') return at;
    if (character === '"') throw malformed('a quote within a value that did not begin with one', at);
  }
  return text.length;
}

function endOfQuoted(text: string, start: number): number {
  const end = closingQuote(text, start + 1) + 1;
  if (end < text.length && text[end] !== ';' && text[end] !== ',') {
    throw malformed('a character behind a closing quote that does not belong', end);
  }
  return end;
}

/**
 * A backslash and what follows it are one: `"CN=x\\"` is closed by its last quote. Envoy never writes a bare semicolon
 * between quotes (it is escaped in a DN and in a PEM), but there is one in all that it would append to a header that a
 * client sent with a quote left open; the client's certificate could bring the closing quote in its SAN.
 */
function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at += text[at] === '\\' ? 2 : 1) {
    if (text[at] === '"') return at;
    if (text[at] === ';') throw malformed('a bare semicolon between quotes', at);
  }
  throw malformed('a quote that is never closed', start - 1);
}

const NAME = 'x-forwarded-client-cert';

function malformed(what: string, offset: number): CertificateError {
  const position = `${what} at offset ${offset} of ${NAME}`;
  if (offset === 0) return new CertificateError(position);
  return new CertificateError(
    `${position}; Envoy does not quote By, URI and DNS, so a name of the certificate can cause this: ` +
      'leave uri and dns out of set_current_client_cert_details',
  );
}

/** Encodes a certificate as one element, with the pairs that the shipped configuration of Envoy enables. */
export function encodeXfcc(der: Uint8Array): string {
  return `Hash=${sha256Hex(der)};Cert="${encodeEscapedPem(der)}"`;
}

/** Encodes a certificate in the JSON form, which is rejected. */
export function encodeJsonXfcc(der: Uint8Array): string {
  return JSON.stringify([{ hash: sha256Hex(der), cert: encodeEscapedPem(der) }]);
}

function sha256Hex(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

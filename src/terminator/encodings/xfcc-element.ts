import { CertificateError } from '../../pki/certificate/certificate-error.ts';

/** One element of `x-forwarded-client-cert` (XFCC). */
export interface XfccElement {
  readonly pairs: readonly XfccPair[];
  /** Whether a comma ended the element. The text after it is not read. */
  readonly anotherFollows: boolean;
}

/** One `Key=value`. */
export interface XfccPair {
  /** In lower case: keys are case-insensitive. */
  readonly key: string;
  readonly quoted: boolean;
  /** The text between the quotes, or the unquoted value; escapes are not decoded. */
  readonly value: string;
}

/** More names than fit into a certificate of 16 KiB. An operator who forwards them all can leave `dns` out. */
const MAX_PAIRS = 2_000;

/**
 * Parses the first element of a header: pairs separated by semicolons. Commas separate elements. The parser looks at
 * each character once. Quotes have a meaning only around a whole value: two parsers that disagree about a stray quote
 * would see two different certificates.
 *
 * @throws {CertificateError} with the offset of the error
 */
export function parseElement(text: string): XfccElement {
  const pairs: XfccPair[] = [];
  for (let at = 0; ; ) {
    if (pairs.length === MAX_PAIRS) throw new CertificateError(`more than ${MAX_PAIRS} pairs in ${HEADER}`);
    const { pair, end } = parsePair(text, at);
    pairs.push(pair);
    if (text[end] !== ';') return { pairs, anotherFollows: end < text.length };
    at = end + 1;
  }
}

function parsePair(text: string, start: number): { pair: XfccPair; end: number } {
  const key = parseKey(text, start);
  const at = start + key.length + 1;
  const quoted = text[at] === '"';
  const end = quoted ? endOfQuoted(text, at) : endOfUnquoted(text, at);
  const value = quoted ? text.slice(at + 1, end - 1) : text.slice(at, end);
  return { pair: { key: key.toLowerCase(), quoted, value }, end };
}

function parseKey(text: string, start: number): string {
  const key = /^([A-Za-z]{1,16})=/.exec(text.slice(start, start + 17))?.[1];
  if (key === undefined) throw malformed('expected a key and an equals sign', start);
  return key;
}

function endOfUnquoted(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === ';' || character === ',') return at;
    if (character === '"') throw malformed('a quote inside an unquoted value', at);
  }
  return text.length;
}

function endOfQuoted(text: string, start: number): number {
  const end = closingQuote(text, start + 1) + 1;
  if (end < text.length && text[end] !== ';' && text[end] !== ',') {
    throw malformed('an unexpected character after a closing quote', end);
  }
  return end;
}

/**
 * A backslash escapes the next character: `"CN=x\\"` is closed by its last quote. Envoy never writes an unescaped
 * semicolon between quotes (it escapes those in a DN and in a PEM). But everything that it appends to a client's header
 * contains one: a client could send a header with an open quote, and close the quote with a SAN of its certificate.
 */
function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at += text[at] === '\\' ? 2 : 1) {
    if (text[at] === '"') return at;
    if (text[at] === ';') throw malformed('an unescaped semicolon between quotes', at);
  }
  throw malformed('an unterminated quote', start - 1);
}

const HEADER = 'x-forwarded-client-cert';

function malformed(problem: string, offset: number): CertificateError {
  const located = `${problem} at offset ${offset} of ${HEADER}`;
  if (offset === 0) return new CertificateError(located);
  return new CertificateError(
    `${located}; Envoy does not quote By, URI and DNS, so a name in the certificate can cause this: ` +
      'remove uri and dns from set_current_client_cert_details',
  );
}

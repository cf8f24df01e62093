import { CertificateError } from '../../pki/certificate/certificate-error.ts';

/** One `Key=value`. */
export interface Pair {
  /** In lower case: keys are case-insensitive. */
  readonly key: string;
  readonly quoted: boolean;
  /** What stands between the quotes, or the bare value; escapes as they are written. */
  readonly value: string;
}

export interface Element {
  readonly pairs: readonly Pair[];
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
export function readElement(text: string): Element {
  const pairs: Pair[] = [];
  for (let at = 0; ; ) {
    if (pairs.length === MAX_PAIRS) throw new CertificateError(`more than ${MAX_PAIRS} pairs in ${NAME}`);
    const { pair, end } = readPair(text, at);
    pairs.push(pair);
    if (text[end] !== ';') return { pairs, anotherFollows: end < text.length };
    at = end + 1;
  }
}

function readPair(text: string, start: number): { pair: Pair; end: number } {
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

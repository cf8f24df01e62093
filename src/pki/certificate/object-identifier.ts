import { CertificateError } from './certificate-error.ts';
import type { DerElement } from './der-element.ts';

interface RecentIdentifier {
  readonly content: Uint8Array;
  readonly text: string;
}

const RECENT = 512;
const MAX_RECENT_BYTES = 16;

/**
 * The identifiers that were parsed last, by a hash of their content: a certificate has a dozen, nearly all of which the one
 * before had as well. Names in the cache share their text, and V8 has hashed it for the Maps in which it is looked up.
 */
const recent: (RecentIdentifier | undefined)[] = new Array(RECENT).fill(undefined);

/**
 * The dotted form of an OBJECT IDENTIFIER, e.g. `2.5.4.3` (X.690 §8.19).
 *
 * @throws {CertificateError} when an arc is not minimally encoded or incomplete
 */
export function parseObjectIdentifier(element: DerElement): string {
  const { bytes, start, end } = element;
  if (end - start > MAX_RECENT_BYTES) return decodeArcs(element);
  let slot = 0;
  for (let index = start; index < end; index++) slot = (33 * slot + (bytes[index] ?? 0)) % RECENT;
  const known = recent[slot];
  if (known && isContentOf(element, known.content)) return known.text;
  const text = decodeArcs(element);
  // A copy, which `slice` of a Buffer is not: the bytes must stay those of the text.
  recent[slot] = { content: new Uint8Array(element.content), text };
  return text;
}

function isContentOf({ bytes, start, end }: DerElement, content: Uint8Array): boolean {
  if (content.length !== end - start) return false;
  for (let index = 0; index < content.length; index++) if (bytes[start + index] !== content[index]) return false;
  return true;
}

function decodeArcs({ bytes, start, end }: DerElement): string {
  let text = '';
  let first = start;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (index === first && byte === 0x80) {
      throw new CertificateError('not DER: an OBJECT IDENTIFIER with an arc that is not minimally encoded');
    }
    if (byte >= 0x80) continue;
    const arc = arcOf(bytes, first, index + 1);
    text += first === start ? firstArcs(arc) : `.${arc}`;
    first = index + 1;
  }
  if (first < end) throw new CertificateError('not DER: a truncated OBJECT IDENTIFIER');
  if (text === '') throw new CertificateError('not DER: an OBJECT IDENTIFIER without content');
  return text;
}

/** The first two arcs are joined into one (X.690 §8.19.4). */
function firstArcs(joined: number | bigint): string {
  if (joined >= 80) return `2.${typeof joined === 'bigint' ? joined - 80n : joined - 80}`;
  return `${Math.floor(Number(joined) / 40)}.${Number(joined) % 40}`;
}

const MAX_SMALL_ARC_BYTES = 7;

/**
 * X.690 §8.19.2: seven bits of an arc in each byte; the high bit means that another byte follows. A long arc is converted
 * at once: adding one byte after the other takes quadratic time.
 */
function arcOf(bytes: Uint8Array, start: number, end: number): number | bigint {
  if (end - start > MAX_SMALL_ARC_BYTES) {
    const bits = Array.from(bytes.subarray(start, end), (byte) => (byte & 0x7f).toString(2).padStart(7, '0'));
    return BigInt(`0b${bits.join('')}`);
  }
  let arc = 0;
  for (let index = start; index < end; index++) arc = arc * 128 + ((bytes[index] ?? 0) & 0x7f);
  return arc;
}

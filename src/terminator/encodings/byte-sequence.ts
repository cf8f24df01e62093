import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeBase64, encodeBase64, requireChain, requireChainLength } from './der.ts';

/**
 * Decodes a chain as a List of Byte Sequences (RFC 9651 §3.1), by the algorithm of its §4.2.1: commas with optional
 * whitespace around them, none at the end; an empty value is an empty List. Lines of the field are to be joined before.
 *
 * RFC 9440 §2.3 defines no parameters and no terminator writes any, so one is refused where RFC 9651 would parse it.
 *
 * @throws {CertificateError}
 */
export function decodeByteSequenceList(value: string): readonly Uint8Array[] {
  const members: Uint8Array[] = [];
  for (let at = 0; at < value.length; ) {
    const end = value.indexOf(':', at + 1) + 1;
    if (value[at] !== ':' || end === 0) throw notAList('a member that is not a Byte Sequence');
    members.push(decodeByteSequence(value.slice(at, end)));
    requireChainLength(members.length);
    at = skipWhitespace(value, end);
    if (at === value.length) break;
    if (value[at] !== ',') throw notAList('no comma after a Byte Sequence');
    at = skipWhitespace(value, at + 1);
    if (at === value.length) throw notAList('a comma at the end');
  }
  return requireChain(members);
}

/** OWS of RFC 9110 §5.6.3. */
function skipWhitespace(value: string, start: number): number {
  let at = start;
  while (value[at] === ' ' || value[at] === '\t') at++;
  return at;
}

function notAList(what: string): CertificateError {
  return new CertificateError(`not a List of Byte Sequences: ${what} (RFC 9651 §4.2.1)`);
}

/**
 * Decodes a Byte Sequence of RFC 9651 §3.3.5: base64 between colons, without parameters.
 *
 * @throws {CertificateError}
 */
export function decodeByteSequence(value: string): Uint8Array {
  if (value.length < 3 || !value.startsWith(':') || !value.endsWith(':')) {
    throw new CertificateError('not a Byte Sequence: expected base64 between colons (RFC 9651 §3.3.5)');
  }
  return decodeBase64(value.slice(1, -1));
}

/** Encodes a certificate as a Byte Sequence of RFC 9651 §3.3.5; alone, it is also a List of one. */
export function encodeByteSequence(der: Uint8Array): string {
  return `:${encodeBase64(der)}:`;
}

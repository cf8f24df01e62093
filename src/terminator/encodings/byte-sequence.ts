import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { requireChain, requireChainLength } from './der.ts';

/**
 * Decodes a Byte Sequence (RFC 9651 §3.3.5): base64 between colons, without parameters.
 *
 * @throws {CertificateError}
 */
export function decodeByteSequence(value: string): Uint8Array {
  if (value.length < 3 || !value.startsWith(':') || !value.endsWith(':')) {
    throw new CertificateError('not a Byte Sequence: expected base64 between colons (RFC 9651 §3.3.5)');
  }
  return decodeBase64(value.slice(1, -1));
}

/** Encodes a certificate as a Byte Sequence, which is also a List of one member. */
export function encodeByteSequence(der: Uint8Array): string {
  return `:${encodeBase64(der)}:`;
}

/**
 * Decodes a chain as a List of Byte Sequences (RFC 9651 §3.1), with the algorithm of §4.2.1: members are separated by
 * commas with optional whitespace, without a trailing comma; an empty value is an empty List. Join the lines of the
 * field first.
 *
 * RFC 9440 §2.3 defines no parameters and no terminator writes any, so parameters are rejected although RFC 9651 allows
 * them.
 *
 * @throws {CertificateError}
 */
export function decodeByteSequenceList(value: string): readonly Uint8Array[] {
  const members: Uint8Array[] = [];
  for (let at = 0; at < value.length; ) {
    const end = value.indexOf(':', at + 1) + 1;
    if (value[at] !== ':' || end === 0) throw malformedList('a member that is not a Byte Sequence');
    members.push(decodeByteSequence(value.slice(at, end)));
    requireChainLength(members.length);
    at = skipWhitespace(value, end);
    if (at === value.length) break;
    if (value[at] !== ',') throw malformedList('no comma after a Byte Sequence');
    at = skipWhitespace(value, at + 1);
    if (at === value.length) throw malformedList('a comma at the end');
  }
  return requireChain(members);
}

/** OWS (RFC 9110 §5.6.3). */
function skipWhitespace(value: string, start: number): number {
  let at = start;
  while (value[at] === ' ' || value[at] === '\t') at++;
  return at;
}

function malformedList(problem: string): CertificateError {
  return new CertificateError(`not a List of Byte Sequences: ${problem} (RFC 9651 §4.2.1)`);
}

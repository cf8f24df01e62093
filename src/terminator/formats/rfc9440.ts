import { decodeByteSequence } from '../encodings/byte-sequence.ts';
import type { HeaderFormat } from '../header-format.ts';

/**
 * RFC 9440 §2.2: `Client-Cert`, the DER as a Byte Sequence of RFC 9651 §3.3.5 (base64 between colons).
 * The RFC defines no verdict; a terminator that sends one beside it is named with `COUNTERSIGN_VERDICT_HEADER`.
 */
export const rfc9440: HeaderFormat = {
  certificateHeader: 'client-cert',
  chain: undefined,
  verdict: [],
  absent: ['::'],
  canVerify: true,
  decode: (value) => ({ leaf: decodeByteSequence(value), chain: [] }),
};

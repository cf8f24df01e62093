import { decodeByteSequence, decodeByteSequenceList, encodeByteSequence } from '../encodings/byte-sequence.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * RFC 9440: `Client-Cert` (§2.2), the DER as a Byte Sequence of RFC 9651 §3.3.5 (base64 between colons), one field and
 * no list; `Client-Cert-Chain` (§2.3), a List of them without the leaf, in the order of TLS, on one line or several.
 * The RFC defines no verdict. Nor a value for "none"; `::` is a template of a proxy around a variable that was empty.
 */
export const rfc9440: HeaderFormat = {
  certificateHeader: 'client-cert',
  chain: {
    header: 'client-cert-chain',
    maySpanLines: true,
    decode: decodeByteSequenceList,
    encode: encodeByteSequence,
  },
  verification: [],
  absentValues: ['::'],
  canVerify: true,
  decode: (value) => ({ leaf: decodeByteSequence(value), chain: [] }),
  encode: encodeByteSequence,
  hints: {},
};

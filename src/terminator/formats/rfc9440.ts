import { decodeByteSequence, decodeByteSequenceList, encodeByteSequence } from '../encodings/byte-sequence.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * RFC 9440: `Client-Cert` (§2.2), the DER as a Byte Sequence (RFC 9651 §3.3.5: base64 between colons), which may appear
 * once; `Client-Cert-Chain` (§2.3), a List of them without the leaf, in TLS order, on one or several lines. The RFC
 * defines neither a field for the verification nor a value for "no certificate"; `::` results from a proxy template
 * around an empty variable.
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

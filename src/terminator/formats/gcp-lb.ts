import { decodeByteSequenceList, encodeByteSequence } from '../encodings/byte-sequence.ts';
import type { HeaderFormat } from '../format.ts';
import { rfc9440 } from './rfc9440.ts';

/**
 * Google Cloud Application Load Balancer, with custom request headers named as in Google's examples:
 * `X-Client-Cert-Leaf:{client_cert_leaf}` and `X-Client-Cert-Chain:{client_cert_chain}`, encoded as in RFC 9440 and empty
 * without a certificate, or if it failed validation or exceeds 16 KB; `X-Client-Cert-Chain-Verified:
 * {client_cert_chain_verified}` and `X-Client-Cert-Present:{client_cert_present}`, `true` or `false`. Not tested against
 * the service: based on the documentation of Google.
 */
export const gcpLb: HeaderFormat = {
  ...rfc9440,
  certificateHeader: 'x-client-cert-leaf',
  chain: {
    header: 'x-client-cert-chain',
    maySpanLines: false,
    decode: decodeByteSequenceList,
    encode: encodeByteSequence,
  },
  verification: [
    { header: 'x-client-cert-chain-verified', successValue: 'true' },
    { header: 'x-client-cert-present', successValue: 'true' },
  ],
  absentValues: [],
};

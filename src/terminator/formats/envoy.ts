import { decodeXfcc, type XfccFixes } from '../encodings/xfcc.ts';
import type { HeaderFormat } from '../format.ts';

const fixes: XfccFixes = {
  certificateMissing: 'turn it on with set_current_client_cert_details: { cert: true }',
  secondElement:
    'set forward_client_cert_details to SANITIZE_SET, so that Envoy overwrites what a client sent, and leave uri and ' +
    'dns out of set_current_client_cert_details, because Envoy does not quote a comma in them',
};

/**
 * Envoy, and what is built on it: `x-forwarded-client-cert`, with
 * `forward_client_cert_details: SANITIZE_SET` and `set_current_client_cert_details: { cert: true }`.
 * It has no verdict: Envoy forwards a certificate that it did not verify (`ACCEPT_UNTRUSTED`) in just the same way.
 * Without a certificate there is no field.
 */
export const envoy: HeaderFormat = {
  certificateHeader: 'x-forwarded-client-cert',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: true,
  decode: (value) => decodeXfcc(value, fixes),
};

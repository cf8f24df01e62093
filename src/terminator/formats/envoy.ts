import { decodeXfcc, encodeJsonXfcc, encodeXfcc, type XfccFixes } from '../encodings/xfcc.ts';
import type { HeaderFormat } from '../format.ts';

const fixes: XfccFixes = {
  certificateMissing: 'turn it on with set_current_client_cert_details: { cert: true }',
  secondElement:
    "set forward_client_cert_details to SANITIZE_SET, so that Envoy overwrites the client's own header, and remove uri " +
    'and dns from set_current_client_cert_details, because Envoy does not quote commas in them',
};

/**
 * Envoy and proxies built on it: `x-forwarded-client-cert`, with `forward_client_cert_details: SANITIZE_SET` and
 * `set_current_client_cert_details: { cert: true }`. The header does not report the verification: Envoy forwards a
 * certificate that it did not verify (`ACCEPT_UNTRUSTED`) in the same form. Without a certificate the header is absent.
 */
export const envoy: HeaderFormat = {
  certificateHeader: 'x-forwarded-client-cert',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: true,
  decode: (value) => decodeXfcc(value, fixes),
  encode: encodeXfcc,
  forgedValues: (forged, own) => [
    {
      name: 'element_before',
      title: 'in an element before your own',
      value: `${encodeXfcc(forged)},${encodeXfcc(own)}`,
    },
    { name: 'element_after', title: 'in an element after your own', value: `${encodeXfcc(own)},${encodeXfcc(forged)}` },
    { name: 'open_element', title: 'in an element that is not closed', value: `${encodeXfcc(forged)};Subject="` },
    { name: 'json', title: 'in the JSON form', value: encodeJsonXfcc(forged) },
  ],
  hints: {
    forwardCertificate:
      'Envoy: forward_client_cert_details: SANITIZE_SET and set_current_client_cert_details: { cert: true }',
    overwriteHeaders:
      'Envoy: forward_client_cert_details: SANITIZE_SET in every HTTP connection manager that leads to Countersign, ' +
      'SANITIZE where it requests no certificate',
    requestCertificate: 'Envoy: a validation_context',
    clientCa: 'Envoy: trusted_ca',
    rejectUnverified: 'Envoy: trusted_ca in the validation_context, without trust_chain_verification: ACCEPT_UNTRUSTED',
    disableResumption: 'Envoy: disable_stateless_session_resumption and disable_stateful_session_resumption: true',
  },
};

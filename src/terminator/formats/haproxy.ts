import { decodeBase64, encodeBase64 } from '../encodings/base64.ts';
import { splitConcatenatedDer } from '../encodings/der.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * HAProxy: `%[ssl_c_der,base64]`, `%[ssl_c_chain_der,base64]` (the rest of the chain that the client presented, as
 * concatenated DER; empty on a resumed session), and `%[ssl_c_verify]`, OpenSSL's verification result as a number. It is
 * 0 also without a certificate, so it must be sent only `if { ssl_c_used }`.
 */
export const haproxy: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: {
    header: 'x-ssl-client-chain',
    maySpanLines: false,
    decode: (value) => (value === '' ? [] : splitConcatenatedDer(decodeBase64(value))),
    encode: encodeBase64,
  },
  verification: [{ header: 'x-ssl-client-verify', successValue: '0' }],
  absentValues: [],
  canVerify: true,
  decode: (value) => ({ leaf: decodeBase64(value), chain: [] }),
  encode: encodeBase64,
  hints: {
    forwardCertificate: 'HAProxy: %[ssl_c_der,base64] if { ssl_c_used }; with tune.bufsize large enough for it',
    overwriteHeaders:
      'HAProxy: http-request del-header for each of these fields in every frontend, before http-request set-header ' +
      '(add-header keeps what the client sent)',
    requestCertificate: 'HAProxy: verify optional',
    clientCa: 'HAProxy: ca-file',
    rejectUnverified: 'HAProxy: verify required with ca-file, without crt-ignore-err and ca-ignore-err',
    forwardVerification: 'HAProxy: %[ssl_c_verify] if { ssl_c_used }',
    disableResumption: 'HAProxy: tune.ssl.cachesize 0, and no-tls-tickets on the bind line',
  },
};

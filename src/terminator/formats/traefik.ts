import { decodeBase64List, encodeBase64 } from '../encodings/der.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * Traefik 2.9.4 and later: the middleware `passTLSClientCert` with `pem: true` writes all that the client sent, leaf
 * first, as base64 of the DER with commas between (it takes the armour and the line feeds off the PEM). No field says
 * whether it was verified: that is up to `clientAuthType`, and only `RequireAndVerifyClientCert` does.
 */
export const traefik: HeaderFormat = {
  certificateHeader: 'x-forwarded-tls-client-cert',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: true,
  decode: decodeBase64List,
  encode: encodeBase64,
  hints: {
    forwardCertificate: 'Traefik: the middleware passTLSClientCert with pem: true on this router',
    overwriteHeaders:
      'Traefik: the middleware passTLSClientCert on every router, and no forwardedHeaders.insecure on the entry point',
    requestCertificate: 'Traefik: clientAuth',
    clientCa: 'Traefik: caFiles',
    rejectUnverified: 'Traefik: clientAuthType: RequireAndVerifyClientCert with caFiles, not RequireAnyClientCert',
    disableResumption: 'Traefik: disableSessionTickets: true in the TLS options',
  },
};

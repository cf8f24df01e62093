import { decodeBase64List, encodeBase64 } from '../encodings/base64.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * Traefik 2.9.4 and later: the middleware `passTLSClientCert` with `pem: true` writes the chain that the client
 * presented, leaf first, as comma-separated base64 of the DER (the PEM without its armor and line feeds). No field
 * reports the verification: it depends on `clientAuthType`, and only `RequireAndVerifyClientCert` guarantees it.
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

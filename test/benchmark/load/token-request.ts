import type { MintedCertificate } from '../../support/certificates.ts';

/**
 * A whole HTTP request for a token, as nginx with the shipped configuration forwards it.
 *
 * @param certificate omitted for a request that is sent to nginx, over mutual TLS
 */
export function tokenRequest(clientId: string, certificate?: MintedCertificate): Buffer {
  const body = `grant_type=client_credentials&client_id=${clientId}`;
  const forwarded = certificate
    ? [`X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`, 'X-SSL-Client-Verify: SUCCESS']
    : [];
  const head = [
    'POST /token HTTP/1.1',
    'Host: mtls.auth.example',
    ...forwarded,
    'User-Agent: benchmark',
    'Accept: */*',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

import type { MintedCertificate } from '../../support/certificates.ts';

/**
 * A whole HTTP request for a token, as nginx with the shipped configuration forwards it.
 *
 * @param certificate omitted for a request that is sent to nginx, over mutual TLS
 */
export function tokenRequest(clientId: string, certificate?: MintedCertificate): Buffer {
  const forwarded = certificate
    ? [
        `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`,
        'X-SSL-Client-Verify: SUCCESS',
        'X-Request-ID: 3f1c9a52d6b84e07a1f25c8e9b7d4063',
        'X-Forwarded-For: 192.0.2.7',
      ]
    : [];
  return post('/token', forwarded, { client_id: clientId });
}

/** A request of a client with a secret, for other authorization servers. */
export function secretRequest(path: string, { id, secret }: { id: string; secret: string }): Buffer {
  return post(path, [], { client_id: id, client_secret: secret });
}

function post(path: string, headers: readonly string[], parameters: Readonly<Record<string, string>>): Buffer {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString();
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: mtls.auth.example',
    ...headers,
    'User-Agent: benchmark',
    'Accept: */*',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

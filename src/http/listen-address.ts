/** Where a listener accepts connections, and over which protocol. */
export type ListenAddress = PlainAddress | HttpsAddress;

/** Plain HTTP. */
export type PlainAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

interface HttpsAddress {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  readonly tls: ListenerTls;
}

/** The certificate that a listener presents in the TLS handshake, and whether it requests one from the peer. */
export interface ListenerTls {
  /** The certificate chain (PEM), the listener's own certificate first. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /**
   * The CA certificates (PEM) against which the peer's certificate is verified. Undefined: no certificate is requested.
   * Empty: one is requested, and it never verifies.
   */
  readonly peerCaCertificates: readonly string[] | undefined;
}

/**
 * Parses `127.0.0.1:8080`, `[::]:8080`, `localhost:8080` or `unix:/run/countersign.sock`. Port 0 lets the system choose.
 *
 * @throws {RangeError} when the text is not such an address
 */
export function parseListenAddress(text: string): PlainAddress {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const [, bracketed, bare, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined || Number(port) > 65_535) {
    throw new RangeError(
      `"${text}" is not a listen address: expected 127.0.0.1:8080, [::]:8080 or unix:/run/countersign.sock`,
    );
  }
  return { kind: 'tcp', host, port: Number(port) };
}

/** Formats the address as a URL, or as `unix:/path`. */
export function describeListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const scheme = address.kind === 'tls' ? 'https' : 'http';
  return `${scheme}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

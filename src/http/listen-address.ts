/** Where a listener listens, and how. */
export type ListenAddress = PlainAddress | HttpsAddress;

/** For HTTP as it is. */
export type PlainAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface HttpsAddress {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  readonly tls: ListenerTls;
}

/** What a listener shows in the TLS handshake, and asks for. */
export interface ListenerTls {
  /** The chain, PEM, the listener's own certificate first. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /**
   * Certificates, PEM, to which a peer's own is verified. Undefined: a peer is asked for none. Empty: it is asked, and
   * none that it shows is verified.
   */
  readonly peerCaCertificates: readonly string[] | undefined;
}

/**
 * Parses `127.0.0.1:8080`, `[::]:8080`, `localhost:8080` or `unix:/run/countersign.sock`. Port 0 lets the system pick.
 *
 * @throws {RangeError}
 */
export function parseListenAddress(text: string): PlainAddress {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const [, bracketed, bare, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined || Number(port) > 65_535) {
    throw new RangeError(`"${text}" is not an address: write 127.0.0.1:8080, [::]:8080 or unix:/run/countersign.sock`);
  }
  return { kind: 'tcp', host, port: Number(port) };
}

/** The address as a URL, or `unix:/path`. */
export function describeListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const scheme = address.kind === 'tls' ? 'https' : 'http';
  return `${scheme}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

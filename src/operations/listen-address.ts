/** Where a listener listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Parses `127.0.0.1:8080`, `[::]:8080`, `localhost:8080` or `unix:/run/countersign.sock`. Port 0 lets the system pick.
 *
 * @throws {RangeError}
 */
export function parseListenAddress(text: string): ListenAddress {
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
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

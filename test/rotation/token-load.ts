import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { requestBytes } from '../support/raw-http.ts';

/** A token as a client received it. */
export interface IssuedToken {
  readonly token: string;
  /** `kid` of its header. */
  readonly keyId: string;
  /** Milliseconds since the epoch, by the clock of the replica. */
  readonly expiresAt: number;
}

export interface TokenLoad {
  /** Responses without a token by status; 0 if the connection was closed instead. */
  readonly failures: ReadonlyMap<number, number>;
  /** Lets each connection finish its request. */
  readonly stop: () => Promise<void>;
}

export interface TokenLoadOptions {
  /** Of the terminator on this machine, or the path of a Unix socket that is connected to it. */
  readonly port: number | string;
  readonly host: string;
  /** The CA of the server certificate, and the identity of the client, PEM. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly body: Readonly<Record<string, string>>;
  readonly connections: number;
  /** Further header lines, such as `Connection: close` for a connection per request. */
  readonly lines?: readonly string[];
  /** Milliseconds after each request of a connection. Default: none. */
  readonly pause?: number;
  /** Called with each token. The connection sends its next request when this has resolved. */
  readonly onToken: (token: IssuedToken) => Promise<void>;
}

/** Requests tokens on keep-alive connections to the terminator, one after the other on each, until it is stopped. */
export function startTokenLoad(options: TokenLoadOptions): TokenLoad {
  const { port, host, tls, body, connections, lines = [], pause = 0, onToken } = options;
  const failures = new Map<number, number>();
  const request = requestBytes({ lines: [`Host: ${host}`, ...lines], body });
  const address = typeof port === 'string' ? { path: port } : { port, host: '127.0.0.1' };
  let isStopped = false;
  const fail = (status: number) => void failures.set(status, (failures.get(status) ?? 0) + 1);
  const run = async () => {
    while (!isStopped) await useConnection().catch(() => fail(0));
  };
  const useConnection = async () => {
    const socket = connect({ ...address, servername: host, ALPNProtocols: ['http/1.1'], ...tls });
    socket.setEncoding('latin1');
    try {
      socket.write(request);
      let unread = '';
      for await (const text of socket) {
        unread += text;
        const response = completeResponse(unread);
        if (!response) continue;
        unread = '';
        if (response.status === 200) await onToken(issuedToken(response.body));
        else fail(response.status);
        if (pause > 0) await delay(pause);
        // nginx closes a connection after 1,000 requests.
        if (isStopped || response.isLast) return;
        socket.write(request);
      }
      if (unread !== '' || !isStopped) fail(0);
    } finally {
      socket.destroy();
    }
  };
  const running = Promise.all(Array.from({ length: connections }, run));
  const stop = async () => {
    isStopped = true;
    await running;
  };
  return { failures, stop };
}

function completeResponse(text: string): { status: number; isLast: boolean; body: string } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
  const body = text.slice(headEnd + 4);
  if (body.length < length) return undefined;
  return { status: Number(head.slice(9, 12)), isLast: /^connection: *close/im.test(head), body };
}

function issuedToken(body: string): IssuedToken {
  const token = String(JSON.parse(body).access_token);
  const [header = '', payload = ''] = token.split('.', 2);
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return { token, keyId: String(kid), expiresAt: Number(exp) * 1000 };
}

import { Agent, type RequestOptions, request } from 'node:https';
import type { LookupFunction } from 'node:net';

export interface HttpsFetchOptions {
  /** The CA certificate that the server certificates must be issued by, PEM. */
  readonly ca: string;
  /** The client certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: string;
}

export type HttpsFetch = (url: string, init?: FetchInit) => Promise<Response>;

/** The options that OAuth client libraries pass to a custom `fetch`. */
interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** A `fetch` over the TLS client of Node.js that can present a client certificate and resolves every host name to loopback. */
export function httpsFetch(tls: HttpsFetchOptions): HttpsFetch {
  const agent = new Agent({ ...tls, keepAlive: false, lookup: loopback });
  return (url, { method = 'GET', headers = {}, body, signal } = {}) => {
    const options: RequestOptions = { agent, method, headers, ...(signal && { signal }) };
    return exchange(url, options, body === undefined || body === null ? '' : String(body));
  };
}

const loopback: LookupFunction = (_hostname, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

function exchange(url: string, options: RequestOptions, body: string): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const outgoing = request(url, options, async (incoming) => {
    const headers = new Headers();
    for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
      headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '');
    }
    const chunks = await incoming.toArray().catch(reject);
    const status = incoming.statusCode ?? 0;
    const content = status === 304 ? null : Buffer.concat(chunks ?? []);
    resolve(new Response(content, { status, headers }));
  });
  outgoing.once('error', reject);
  outgoing.end(body);
  return promise;
}

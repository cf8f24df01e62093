import { Agent, type RequestOptions, request } from 'node:https';
import type { LookupFunction } from 'node:net';

export interface HttpsFetchOptions {
  /** Whom to trust for the servers' certificates, PEM. */
  readonly ca: string;
  /** The client's own certificate and key, PEM. */
  readonly cert?: string;
  readonly key?: string;
}

export type HttpsFetch = (url: string, init?: FetchInit) => Promise<Response>;

/** What OAuth client libraries hand to the `fetch` that an application gives them. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** A `fetch` over Node's own TLS client, that can show a certificate and finds every host name on loopback. */
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

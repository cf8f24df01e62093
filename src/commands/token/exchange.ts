import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import type { ClientKeyPair } from '../../doctor/probe/client-key-pair.ts';
import type { Address } from '../../doctor/probe/routes.ts';
import { supportForeignCurves } from '../../peer-certificates.ts';
import { explainConnectionError } from './explain-connection.ts';

/** How to connect: as which client, and which CAs to trust. */
export interface ConnectionContext {
  readonly clientKeyPair: ClientKeyPair;
  /** PEM; undefined for the CAs that this machine trusts. */
  readonly serverCa: string | undefined;
  /** Where to connect instead of the URL's host and port. */
  readonly connectTo: Address | undefined;
}

/** A response, of which only what explains it is kept. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const TIMEOUT_MILLISECONDS = 10_000;
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Sends one request over mutual TLS, on a connection of its own.
 *
 * @param form undefined for GET, otherwise the body of a POST
 * @throws {OperatorError} with why there is no response, and the fix
 */
export function exchange(url: URL, form: string | undefined, context: ConnectionContext): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  supportForeignCurves();
  const sent = request(requestOptions(url, form, context), (response) => {
    readBody(response).then(
      (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      (error: Error) => reject(explainConnectionError(url, error, context.connectTo)),
    );
  });
  const timedOut = Object.assign(new Error('no response'), { code: 'ETIMEDOUT' });
  const timer = setTimeout(() => sent.destroy(timedOut), TIMEOUT_MILLISECONDS);
  sent.on('error', (error) => reject(explainConnectionError(url, error, context.connectTo)));
  sent.end(form);
  return promise.finally(() => clearTimeout(timer));
}

function requestOptions(url: URL, form: string | undefined, context: ConnectionContext): RequestOptions {
  const { clientKeyPair, serverCa, connectTo } = context;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const content = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(form ?? ''),
  };
  return {
    host: connectTo?.host ?? hostname,
    port: connectTo?.port ?? (url.port || 443),
    // An IP address is not a valid server name (RFC 6066 §3), and Node.js then verifies the host.
    servername: isIP(hostname) ? '' : hostname,
    path: url.pathname + url.search,
    method: form === undefined ? 'GET' : 'POST',
    headers: { host: url.host, accept: 'application/json', ...(form !== undefined && content) },
    agent: false,
    cert: clientKeyPair.certificatePem,
    key: clientKeyPair.privateKeyPem,
    ...(serverCa !== undefined && { ca: serverCa }),
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

import { type IncomingMessage, request, type ServerResponse } from 'node:http';

/** Below this path, requests are for the API. Its resource is `api` in the clients file of the workspace. */
const API_PATH = '/api/';
const CHECK_PATH = '/edge/either/api';

/** What the edge sends to the API, and what to the client (docs/edge.md). */
const approvalHeaders = [
  'authorization',
  'x-countersign-client-id',
  'x-countersign-subject',
  'x-countersign-scope',
  'x-countersign-audience',
  'x-countersign-expires',
] as const;
const denialHeaders = ['www-authenticate', 'x-countersign-error', 'retry-after'] as const;

export function isForProtectedApi({ url = '' }: IncomingMessage): boolean {
  return url.startsWith(API_PATH);
}

/**
 * An API behind the edge, for development. It asks the edge about the request, as a proxy does, and responds with the
 * headers that an API would receive. (A real API does not send its token to the client.)
 *
 * @param certificateHeaders of the connection, and the proxy secret
 */
export function serveProtectedApi(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  edge: { readonly host: string; readonly port: number },
  certificateHeaders: Readonly<Record<string, string>>,
): void {
  const authorization = incoming.headersDistinct.authorization ?? [];
  const headers = [
    ...['Host', 'edge', ...Object.entries(certificateHeaders).flat()],
    ...authorization.flatMap((value) => ['Authorization', value]),
  ];
  const check = request({ ...edge, path: CHECK_PATH, headers }, (response) => {
    response.resume();
    if (response.statusCode === 200) respondWithHeaders(outgoing, response);
    else deny(outgoing, response);
  });
  check.once('error', () => outgoing.writeHead(503).end()).end();
  incoming.resume();
}

function respondWithHeaders(outgoing: ServerResponse, { headers }: IncomingMessage): void {
  const body = Object.fromEntries(approvalHeaders.map((name) => [name, headers[name]]));
  outgoing.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  outgoing.end(`${JSON.stringify(body, undefined, 2)}\n`);
}

function deny(outgoing: ServerResponse, { statusCode = 503, headers }: IncomingMessage): void {
  const own = denialHeaders.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  outgoing.writeHead(statusCode, Object.fromEntries(own)).end();
}

import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { endFailedHandshakes, httpsOptions } from './https-options.ts';
import type { ListenAddress } from './listen-address.ts';
import { RunningRequests } from './running-requests.ts';
import { StartupError } from './startup-error.ts';

/** What the listener serves: Hono's `app.fetch`. */
export type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

export interface HttpListener {
  /** Where it listens in fact: with the port that the system picked. */
  readonly address: ListenAddress;
  /** Takes no new connection, lets the requests that run end, and closes each connection after its answer. */
  close(): Promise<void>;
}

/**
 * A certificate of 16 KiB is 25 KiB as an escaped PEM, and a client may send headers of its own beside it. The shipped
 * proxy configurations let less through.
 */
export const MAX_HEADER_OCTETS = 64 * 1024;

const limits = {
  maxHeaderSize: MAX_HEADER_OCTETS,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // How often Node looks for requests that are late: by default only every 30 s.
  connectionsCheckingInterval: 2_000,
  // Longer than proxies keep theirs (nginx: 60 s): the side that opened a connection should be the one to close it.
  keepAliveTimeout: 75_000,
};

/**
 * Opens a listener.
 *
 * @param onUnreadable told of requests that are refused before they are read, with the reason
 * @throws {StartupError} when the address cannot be listened on
 */
export async function openHttpListener(
  address: ListenAddress,
  fetch: Fetch,
  onUnreadable: (reason: string) => void,
): Promise<HttpListener> {
  const server = createServer(address, fetch);
  // Node keeps the first 2,000 fields and drops the others without a word, the proxy's perhaps among them. The size of
  // the header block is bound enough.
  server.maxHeadersCount = 0;
  const running = new RunningRequests(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    onUnreadable(error.code ?? error.message);
    // After a fault of TLS no answer gets through, and a connection that waits for one would stay.
    if (error.code?.startsWith('ERR_SSL_')) socket.destroy();
    else if (!running.endAfterAnswer(socket)) answerUnreadable(error.code, socket);
  });
  if (address.kind === 'tls') endFailedHandshakes(server, onUnreadable);
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  await listen(server, address);
  return { address: actualAddress(server, address), close: () => running.drain() };
}

function createServer(address: ListenAddress, fetch: Fetch): Server {
  // Safe: these are Node's servers for HTTP (the adaptor's default) and HTTPS, and the second has all that the first has.
  if (address.kind !== 'tls') return createAdaptorServer({ fetch, serverOptions: limits }) as Server;
  const serverOptions = { ...limits, ...httpsOptions(address.tls) };
  return createAdaptorServer({ fetch, createServer: createHttpsServer, serverOptions }) as Server;
}

/** What the sender of octets that are no HTTP request reads in the description; no proxy says it in the same words. */
export const UNREADABLE = 'The request is not well-formed HTTP.';

/** A request that Node's parser refuses never reaches the app; its sender reads JSON all the same. */
function answerUnreadable(code: string | undefined, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, description] = unreadable[code ?? ''] ?? ['400 Bad Request', UNREADABLE];
  const body = JSON.stringify({ error: 'invalid_request', error_description: description });
  const head = ['content-type: application/json', 'cache-control: no-store', `content-length: ${body.length}`];
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`);
}

const unreadable: Readonly<Record<string, readonly [status: string, description: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The request header, with the client certificate in it, is larger than ${MAX_HEADER_OCTETS} octets.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
};

/** Listens; a Unix socket is for the owner and the group only. */
function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StartupError([explain(error, address)])));
    const umask = address.kind === 'unix' ? process.umask(0o117) : undefined;
    if (address.kind === 'unix') server.listen(address.path, resolve);
    else server.listen(address.port, address.host, resolve);
    if (umask !== undefined) process.umask(umask);
  });
}

function explain(error: NodeJS.ErrnoException, address: ListenAddress): string {
  const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
  const known: Record<string, string> = {
    EADDRINUSE: 'another program is listening there',
    EACCES: address.kind === 'unix' ? explainFolder(dirname(address.path)) : 'permission denied',
    EADDRNOTAVAIL: 'the address is not one of this machine',
    ENOENT: 'the folder of the socket does not exist',
    EINVAL: address.kind === 'unix' ? 'the path is too long for a socket (107 octets)' : 'not an address',
  };
  return `cannot listen on ${where}: ${known[error.code ?? ''] ?? error.message}`;
}

/** Node says EACCES of a folder that is not there, too. */
function explainFolder(folder: string): string {
  return existsSync(folder) ? `${folder} may not be written to by this user` : `the folder ${folder} does not exist`;
}

/**
 * A socket file stays behind when a process is killed. It is removed only when nobody answers on it.
 *
 * @throws {StartupError} when something else than a socket is there
 */
async function removeStaleSocket(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) throw new StartupError([`cannot listen on ${path}: there is something that is not a socket`]);
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true));
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
    probe.once('connect', () => probe.destroy());
  });
  if (!answered) unlinkSync(path);
}

function actualAddress(server: Server, address: ListenAddress): ListenAddress {
  const bound = server.address();
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return address;
  return { ...address, port: bound.port };
}

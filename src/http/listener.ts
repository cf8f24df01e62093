import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { OperatorError } from '../operator-error.ts';
import { ActiveRequests } from './draining.ts';
import type { ListenAddress } from './listen-address.ts';
import { handleClientErrors, MAX_HEADER_BYTES, type OnMalformed, rejectMalformed } from './malformed-requests.ts';
import { endFailedHandshakes, httpsOptions } from './tls.ts';

/** What the listener serves: Hono's `app.fetch`. */
export type Fetch = Parameters<typeof getRequestListener>[0];

export interface HttpListener {
  /** Where it listens in fact: with the port that the system picked. */
  readonly address: ListenAddress;
  /** Takes no new connection, lets the requests that run end, and closes each connection after its answer. */
  close(): Promise<void>;
}

const limits = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // How often Node looks for requests that are late: by default only every 30 s.
  connectionsCheckingInterval: 2_000,
  // Longer than proxies keep theirs (nginx: 60 s): the side that opened a connection should be the one to close it.
  keepAliveTimeout: 75_000,
  // Node would answer with nothing, and tell nobody.
  requireHostHeader: false,
};

/**
 * Opens a listener.
 *
 * @param onMalformed told of each request that is refused before the app sees it
 * @throws {OperatorError} when the address cannot be listened on
 */
export async function openHttpListener(
  address: ListenAddress,
  fetch: Fetch,
  onMalformed: OnMalformed,
): Promise<HttpListener> {
  const server = createServer(address, rejectMalformed(getRequestListener(fetch), onMalformed));
  // Node keeps the first 2,000 fields and drops the others without a word, the proxy's perhaps among them. The size of
  // the header block is bound enough.
  server.maxHeadersCount = 0;
  const active = new ActiveRequests(server);
  handleClientErrors(server, active, onMalformed);
  if (address.kind === 'tls') endFailedHandshakes(server, onMalformed);
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  await listen(server, address);
  return { address: actualAddress(server, address), close: () => active.drain() };
}

function createServer(address: ListenAddress, listener: RequestListener): Server {
  if (address.kind !== 'tls') return createHttpServer(limits, listener);
  return createHttpsServer({ ...limits, ...httpsOptions(address.tls) }, listener);
}

/** Listens; a Unix socket is for the owner and the group only. */
function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new OperatorError([explain(error, address)])));
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
 * @throws {OperatorError} when something else than a socket is there
 */
async function removeStaleSocket(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) throw new OperatorError([`cannot listen on ${path}: there is something that is not a socket`]);
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

import { rmSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { ActiveRequests } from './active-requests.ts';
import { type Application, type Fetch, honoApplication } from './application.ts';
import type { ListenAddress, ListenerTls } from './listen-address.ts';
import { explainListenError } from './listen-error.ts';
import { type LoadShedding, shedOverload } from './load-shedding.ts';
import { handleClientErrors, type OnMalformed, rejectMalformed } from './malformed-requests.ts';
import { ReceivedRequest } from './received-request.ts';
import { type HttpServer, SentResponse } from './sent-response.ts';
import { socketState } from './socket-file.ts';
import { endFailedHandshakes, httpsOptions } from './tls.ts';

/** What a listener accepts at once. */
export interface ListenerLimits extends LoadShedding {
  readonly maxConnections: number;
  /** Called for each connection that is closed because of that limit. */
  readonly onConnectionRefused: () => void;
}

export interface HttpListener {
  /** The actual address, with the port that the system chose. */
  readonly address: ListenAddress;
  /** How many connections are open. */
  readonly connections: number;
  /**
   * Presents another certificate in the handshakes of new connections, or verifies those of peers against other CA
   * certificates. Has no effect on a listener without TLS.
   *
   * @throws {Error} if OpenSSL rejects them; those before stay in use
   */
  replaceTls(tls: ListenerTls): void;
  /** From now on, each connection closes after its next response, so that clients open further ones elsewhere. */
  endKeepAlive(): void;
  /** Stops accepting connections, and closes each connection after the response to its request in flight. */
  close(): Promise<void>;
}

const options = {
  IncomingMessage: ReceivedRequest,
  ServerResponse: SentResponse,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // How often Node checks these timeouts: by default only every 30 s.
  connectionsCheckingInterval: 2_000,
  // Longer than that of proxies (nginx: 60 s), so that the side that opened a connection closes it.
  keepAliveTimeout: 75_000,
  // Checked with the rest of the request head: Node would send an empty 400, and nothing would be logged.
  requireHostHeader: false,
};

/**
 * Opens a listener for an application of Hono.
 *
 * @throws as {@link openListener}
 */
export function openHttpListener(
  address: ListenAddress,
  fetch: Fetch,
  onMalformed: OnMalformed,
  limits?: ListenerLimits,
): Promise<HttpListener> {
  return openListener(address, honoApplication(fetch), onMalformed, limits);
}

/**
 * Opens a listener.
 *
 * @param onMalformed called for each request that is rejected before it reaches the application
 * @param limits undefined if every connection is accepted and every request served, however long that takes
 * @throws {OperatorError} when the address cannot be bound
 */
export async function openListener(
  address: ListenAddress,
  application: Application,
  onMalformed: OnMalformed,
  limits?: ListenerLimits,
): Promise<HttpListener> {
  const server = createServer(address, application);
  // By default Node keeps the first 2,000 fields and silently drops the rest, which may include those of the proxy. The
  // size limit of the header is sufficient.
  server.maxHeadersCount = 0;
  // By default Node sends no response to a client that closes its side of the connection behind a complete request. Node
  // does not document this property; without it that default remains.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Nothing is sent or received for so long only if the peer does not read its responses, which take memory.
  server.timeout = UNREAD_MILLISECONDS;
  if (limits) limitConnections(server, limits);
  const open = countConnections(server);
  const active = new ActiveRequests(server, limits?.inFlight);
  const listener = limits ? shedOverload(server, application, limits, active) : application.serve;
  server.on('request', rejectMalformed(application, listener, active, onMalformed));
  // Node would send 100 (Continue) before the request.
  if (!application.readsBodies) server.on('checkContinue', (...request) => server.emit('request', ...request));
  handleClientErrors(server, application, active, onMalformed);
  if (server instanceof HttpsServer) endFailedHandshakes(server, onMalformed);
  if (address.kind === 'unix') await prepareSocket(address);
  await listen(server, address);
  if (address.kind === 'unix') removeSocketOnExit(server, address.path);
  return {
    address: actualAddress(server, address),
    get connections() {
      return open.connections;
    },
    replaceTls: (tls) => {
      if (server instanceof HttpsServer) server.setSecureContext(httpsOptions(tls));
    },
    endKeepAlive: () => active.endKeepAlive(),
    close: () => active.drain(),
  };
}

/**
 * How long a connection without any traffic stays open while responses on it wait to be read. Longer than a request may take
 * to arrive: one whose body stalls gets its 408 first.
 */
const UNREAD_MILLISECONDS = options.requestTimeout + 10_000;

/** A connection beyond the limit is closed before anything is read from it. No connection is closed for another one. */
function limitConnections(server: NetServer, { maxConnections, onConnectionRefused }: ListenerLimits): void {
  server.maxConnections = maxConnections;
  server.on('drop', onConnectionRefused);
}

/** Node's own count can only be read asynchronously. */
function countConnections(server: NetServer): { readonly connections: number } {
  const open = { connections: 0 };
  server.on('connection', (socket: Socket) => {
    open.connections += 1;
    socket.once('close', () => {
      open.connections -= 1;
    });
  });
  return open;
}

function createServer(address: ListenAddress, { maxHeaderBytes: maxHeaderSize }: Application): HttpServer {
  if (address.kind !== 'tls') return createHttpServer({ ...options, maxHeaderSize });
  return createHttpsServer({ ...options, maxHeaderSize, ...httpsOptions(address.tls) });
}

/**
 * How many connections may wait to be accepted; the system may allow less. The kernel drops the attempts of others, and
 * they connect after a second or more. Node's default is 511.
 */
const BACKLOG = 4_096;

/** Binds the address. Only the owner and the group can connect to a Unix socket. */
function listen(server: NetServer, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new OperatorError([explainListenError(error, address)])),
    );
    const umask = address.kind === 'unix' ? process.umask(0o117) : undefined;
    if (address.kind === 'unix') server.listen({ path: address.path, backlog: BACKLOG }, resolve);
    else server.listen({ port: address.port, host: address.host, backlog: BACKLOG }, resolve);
    if (umask !== undefined) process.umask(umask);
  });
}

/** @throws {OperatorError} when the path cannot be used */
async function prepareSocket(address: ListenAddress & { readonly kind: 'unix' }): Promise<void> {
  try {
    await removeStaleSocket(address.path);
  } catch (error) {
    // An error of `lstat` or `unlink`, such as ENOTDIR or ENAMETOOLONG.
    if (error instanceof OperatorError) throw error;
    throw new OperatorError([`cannot listen on ${address.path}: ${fileErrorReason(error)}`]);
  }
}

/**
 * Removes the socket file that a killed process left behind, unless a process still accepts connections on it.
 *
 * @throws {OperatorError} when the file is not a socket
 */
async function removeStaleSocket(path: string): Promise<void> {
  if ((await socketState(path)) === 'stale') unlinkSync(path);
}

/** A process that exits before it has closed the server leaves the socket file behind. */
function removeSocketOnExit(server: NetServer, path: string): void {
  const remove = () => {
    // Once the server is closing, the file is that of another process, if there is one.
    if (server.listening) rmSync(path, { force: true });
  };
  process.once('exit', remove);
  server.once('close', () => process.off('exit', remove));
}

function actualAddress(server: NetServer, address: ListenAddress): ListenAddress {
  const bound = server.address();
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return address;
  return { ...address, port: bound.port };
}

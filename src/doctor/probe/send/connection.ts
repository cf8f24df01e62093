import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import type { ClientKeyPair } from '../identity.ts';
import type { Address, Route } from '../routes.ts';

export type OpenedPlain = { readonly kind: 'open'; readonly socket: Socket } | Failure;

/** Opens a connection without TLS. */
export function openPlainConnection(address: Address): Promise<OpenedPlain> {
  const { promise, resolve } = Promise.withResolvers<OpenedPlain>();
  const socket = connectTcp({ ...address, timeout: PATIENCE_MS });
  socket.once('connect', () => resolve({ kind: 'open', socket: socket.setTimeout(0) }));
  socket.once('timeout', () => {
    socket.destroy();
    resolve(silence);
  });
  socket.on('error', (error) => resolve(failureOf(error)));
  return promise;
}

export type Protocol = 'http/1.1' | 'h2';

/** Why there is no answer. */
export interface Failure {
  /**
   * - `unreachable`: nobody accepts connections there
   * - `untrusted`: the certificate of the proxy's own is not one that we trust
   * - `outdated`: it is expired, or not valid yet
   * - `misnamed`: it is for other names
   * - `closed`: the other side ended the handshake or the connection
   * - `silent`: it said nothing for as long as we wait
   */
  readonly kind: 'unreachable' | 'untrusted' | 'outdated' | 'misnamed' | 'closed' | 'silent';
  readonly detail: string;
}

export interface Handshake {
  readonly route: Pick<Route, 'address' | 'serverName' | 'transport'>;
  /** Shown where the other side asks for a certificate. */
  readonly identity: ClientKeyPair | undefined;
  readonly protocols: readonly Protocol[];
  /** PEM; undefined for the authorities that this machine trusts. */
  readonly serverCa: string | undefined;
}

export type Opened = { readonly kind: 'open'; readonly socket: TLSSocket } | Failure;

/** How long we wait for a handshake, and for an answer. */
export const PATIENCE_MS = 10_000;
export const silence: Failure = { kind: 'silent', detail: `no answer in ${PATIENCE_MS / 1000} s` };

/** Opens a connection as the route says, of its own for each: nothing of one shows in another. */
export function openConnection(handshake: Handshake): Promise<Opened> {
  return handshake.route.transport === 'resumed_tls' ? resumeSession(handshake) : shake(handshake);
}

/** TLS 1.2, in which a session holds what the server made of the client's certificate (RFC 5246 §7.3). */
async function resumeSession(handshake: Handshake): Promise<Opened> {
  const first = await shake(handshake, { maxVersion: 'TLSv1.2' });
  if (first.kind !== 'open') return first;
  const session = first.socket.getSession();
  first.socket.destroy();
  if (session === undefined) return noSession;
  const again = await shake(handshake, { maxVersion: 'TLSv1.2', session });
  if (again.kind !== 'open' || again.socket.isSessionReused()) return again;
  again.socket.destroy();
  return noSession;
}

const noSession: Failure = { kind: 'closed', detail: 'no TLS session is resumed' };

type Session = Pick<ConnectionOptions, 'maxVersion' | 'session'>;

function shake(handshake: Handshake, session: Session = {}): Promise<Opened> {
  const { promise, resolve } = Promise.withResolvers<Opened>();
  const socket = connect({ ...optionsOf(handshake), ...session });
  const timer = setTimeout(() => end(silence), PATIENCE_MS);
  const end = (opened: Opened) => {
    clearTimeout(timer);
    if (opened.kind !== 'open') socket.destroy();
    resolve(opened);
  };
  // It stays, because a server may refuse our certificate after the handshake (TLS 1.3).
  socket.on('error', (error) => end(failureOf(error)));
  socket.once('secureConnect', () => end({ kind: 'open', socket }));
  socket.once('close', () => end({ kind: 'closed', detail: 'closed the connection' }));
  return promise;
}

function optionsOf({ route, identity, protocols, serverCa }: Handshake): ConnectionOptions {
  const { address, serverName, transport } = route;
  return {
    ...address,
    // An address is no server name (RFC 6066 §3).
    servername: isIP(serverName) ? '' : serverName,
    ALPNProtocols: [...protocols],
    // We tell it nothing that is secret.
    rejectUnauthorized: transport !== 'tls_to_anybody',
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
    ...(serverCa !== undefined && { ca: serverCa }),
    ...(identity && { cert: identity.certificatePem, key: identity.privateKeyPem }),
  };
}

const notReached = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
];

const notTrusted = [
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_SIGNATURE_FAILURE'],
  ...['INVALID_PURPOSE', 'CERT_UNTRUSTED', 'CERT_REJECTED', 'INVALID_CA'],
];

const notOfThisTime = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/** What an error of a socket means. */
export function failureOf(error: Error & { readonly code?: string; readonly reason?: string }): Failure {
  const { code = '' } = error;
  if (notReached.includes(code)) return { kind: 'unreachable', detail: error.message };
  // Node's own sentences go on with advice for those who started it.
  if (notTrusted.includes(code)) return { kind: 'untrusted', detail: code };
  if (notOfThisTime.includes(code)) return { kind: 'outdated', detail: code };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { kind: 'misnamed', detail: error.reason ?? error.message };
  // OpenSSL's and nghttp2's own words, without the numbers and file names around them.
  const [, words] = /(?:ERR_SSL|NGHTTP2)_(\w+)/.exec(`${code} ${error.message}`) ?? [];
  const told = words === undefined ? code || error.message : words.toLowerCase().replaceAll('_', ' ');
  return { kind: 'closed', detail: `closed the connection (${told})` };
}

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { firstAttempt, unreachableReason } from '../../../errors/network-error.ts';
import { supportForeignCurves } from '../../../peer-certificates.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import type { Address, Route } from '../routes.ts';

interface ConnectionRequest {
  readonly route: Pick<Route, 'address' | 'serverName' | 'transport'>;
  /** Presented if the proxy requests a certificate. */
  readonly clientKeyPair: ClientKeyPair | undefined;
  readonly protocols: readonly Protocol[];
  /** PEM; undefined for the CAs that this machine trusts. */
  readonly serverCa: string | undefined;
}

export type Protocol = 'http/1.1' | 'h2';

export type ConnectionResult = { readonly kind: 'open'; readonly socket: TLSSocket } | Failure;

/** Why there is no response. */
export interface Failure {
  /**
   * - `unreachable`: nothing accepts connections at the address
   * - `untrusted`: the proxy's own certificate was not issued by a trusted CA
   * - `outside_validity`: the proxy's own certificate has expired or is not valid yet
   * - `name_mismatch`: the proxy's own certificate is for other names
   * - `closed`: the proxy ended the handshake or the connection
   * - `timeout`
   */
  readonly kind: 'unreachable' | 'untrusted' | 'outside_validity' | 'name_mismatch' | 'closed' | 'timeout';
  readonly detail: string;
}

/** For a handshake, and for a response. */
export const TIMEOUT_MS = 10_000;
export const timedOut: Failure = { kind: 'timeout', detail: `no response within ${TIMEOUT_MS / 1000} s` };

/** Opens a TLS connection that is not shared with any other trial. */
export function openConnection(request: ConnectionRequest): Promise<ConnectionResult> {
  return request.route.transport === 'tls_resumed' ? resumeSession(request) : connectTls(request);
}

/** In TLS 1.2 a session stores the result of the client's authentication (RFC 5246 §7.3). */
async function resumeSession(request: ConnectionRequest): Promise<ConnectionResult> {
  const first = await connectTls(request, { maxVersion: 'TLSv1.2' });
  if (first.kind !== 'open') return first;
  const session = first.socket.getSession();
  first.socket.destroy();
  if (session === undefined) return notResumed;
  const second = await connectTls(request, { maxVersion: 'TLSv1.2', session });
  if (second.kind !== 'open' || second.socket.isSessionReused()) return second;
  second.socket.destroy();
  return notResumed;
}

const notResumed: Failure = { kind: 'closed', detail: 'the TLS session was not resumed' };

type SessionOptions = Pick<ConnectionOptions, 'maxVersion' | 'session'>;

function connectTls(request: ConnectionRequest, session: SessionOptions = {}): Promise<ConnectionResult> {
  const { promise, resolve } = Promise.withResolvers<ConnectionResult>();
  supportForeignCurves();
  const socket = connect({ ...connectionOptions(request), ...session });
  const timer = setTimeout(() => end(timedOut), TIMEOUT_MS);
  const end = (result: ConnectionResult) => {
    clearTimeout(timer);
    if (result.kind !== 'open') socket.destroy();
    resolve(result);
  };
  // Never removed, because in TLS 1.3 a server may reject the client's certificate after the handshake.
  socket.on('error', (error) => end(failureOf(error)));
  socket.once('secureConnect', () => end({ kind: 'open', socket }));
  socket.once('close', () => end({ kind: 'closed', detail: 'closed the connection' }));
  return promise;
}

function connectionOptions({ route, clientKeyPair, protocols, serverCa }: ConnectionRequest): ConnectionOptions {
  const { address, serverName, transport } = route;
  return {
    ...address,
    // An IP address is not a valid server name (RFC 6066 §3).
    servername: isIP(serverName) ? '' : serverName,
    ALPNProtocols: [...protocols],
    // Safe without verification: nothing secret is sent.
    rejectUnauthorized: transport !== 'tls_unverified',
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
    ...(serverCa !== undefined && { ca: serverCa }),
    ...(clientKeyPair && { cert: clientKeyPair.certificatePem, key: clientKeyPair.privateKeyPem }),
  };
}

type PlainConnectionResult = { readonly kind: 'open'; readonly socket: Socket } | Failure;

/** Opens a connection without TLS. */
export function openPlainConnection(address: Address): Promise<PlainConnectionResult> {
  const { promise, resolve } = Promise.withResolvers<PlainConnectionResult>();
  const socket = connectTcp({ ...address, timeout: TIMEOUT_MS });
  socket.once('connect', () => resolve({ kind: 'open', socket: socket.setTimeout(0) }));
  socket.once('timeout', () => {
    socket.destroy();
    resolve(timedOut);
  });
  socket.on('error', (error) => resolve(failureOf(error)));
  return promise;
}

const untrustedCodes = [
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_SIGNATURE_FAILURE'],
  ...['INVALID_PURPOSE', 'CERT_UNTRUSTED', 'CERT_REJECTED', 'INVALID_CA'],
];

const validityCodes = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/** Classifies an error of a socket. */
export function failureOf(thrown: Error): Failure {
  const error = firstAttempt(thrown);
  const { code = '' } = error;
  const unreachable = unreachableReason(error);
  if (unreachable !== undefined) return { kind: 'unreachable', detail: unreachable };
  // Node's messages continue with advice for the author of the program.
  if (untrustedCodes.includes(code)) return { kind: 'untrusted', detail: code };
  if (validityCodes.includes(code)) return { kind: 'outside_validity', detail: code };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { kind: 'name_mismatch', detail: error.reason ?? error.message };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return { kind: 'closed', detail: 'does not respond with TLS on this port' };
  // The reason of OpenSSL and nghttp2, without the numbers and file names around it.
  const [, constant] = /(?:ERR_SSL|NGHTTP2)_(\w+)/.exec(`${code} ${error.message}`) ?? [];
  const reason = constant === undefined ? code || error.message : constant.toLowerCase().replaceAll('_', ' ');
  return { kind: 'closed', detail: `closed the connection (${reason})` };
}

import { type Server, TLSSocket } from 'node:tls';
import { type HandshakeError, TLS_LIBRARY } from './malformed-reasons.ts';

/**
 * Keeps the connection of a peer whose certificate does not verify. It is never authorized; the application decides what
 * that means.
 *
 * With `rejectUnauthorized: false`, OpenSSL continues the handshake behind a wrong signature in the chain, but leaves the
 * error of that signature in its queue. If no more data has arrived yet, Node then takes "wait for more" for a failure: it
 * destroys the connection, or reports an error on one whose handshake has just succeeded (`TLSWrap::ClearOut`, and `onerror`
 * in `lib/internal/tls/wrap.js`).
 *
 * A chain is verified once, so only the first error can be such a one, and never one of the TLS library itself. It is
 * ignored. If the handshake had failed nevertheless, OpenSSL has sent its alert and never completes it: the connection ends
 * when the peer closes it, or two seconds later, and {@link ignoredError} is the reason.
 */
export function keepUnverifiedPeers(server: Server): void {
  servers.add(server);
}

/** The error that was ignored on a connection, if any. */
export function ignoredError(socket: TLSSocket): HandshakeError | undefined {
  return ignored.get(socket);
}

/** The peer sends what completes the handshake immediately behind its certificate. */
const COMPLETED_WITHIN_MILLISECONDS = 2_000;

const servers = new WeakSet<object>();
const ignored = new WeakMap<object, HandshakeError>();

/**
 * Members that the type declarations of Node hide. `test/http/unverified-peers.test.ts` checks that they still exist;
 * without them, such a connection is closed.
 */
interface PrivateMembers extends Pick<TLSSocket, PublicMember> {
  readonly authorizationError: unknown;
  _init?(...parameters: unknown[]): void;
  readonly server?: object;
  readonly _handle?: TlsHandle | null;
}

type PublicMember = 'remoteAddress' | 'setTimeout' | 'getPeerX509Certificate';

interface TlsHandle {
  onerror?: (error: HandshakeError) => void;
  /** Why the certificate of the peer does not verify; null if it does. */
  verifyError(): Error | null;
}

// Private in the type declarations only.
const prototype = TLSSocket.prototype as unknown as PrivateMembers;
const init = prototype._init;

/** Node gives no other access to a connection before its handshake is complete. */
prototype._init = function (this: PrivateMembers, ...parameters) {
  init?.apply(this, parameters);
  const { server, _handle: handle } = this;
  if (server && handle && servers.has(server)) ignoreStaleError(this, handle);
};

function ignoreStaleError(socket: PrivateMembers, handle: TlsHandle): void {
  const { onerror } = handle;
  handle.onerror = (error) => {
    if (ignored.has(socket) || !mayBeStale(socket, handle, error)) return onerror?.call(handle, error);
    ignored.set(socket, error);
    // Node keeps an address that was read for when the connection is closed.
    void socket.remoteAddress;
    // Null until the handshake is complete. It then ends this timeout, which is that of the handshake.
    if (socket.authorizationError === null) socket.setTimeout(COMPLETED_WITHIN_MILLISECONDS);
  };
}

/** Before there is a certificate, `verifyError` would end the process: it dereferences the session, which is null. */
function mayBeStale(socket: PrivateMembers, handle: TlsHandle, { library }: HandshakeError): boolean {
  if (library === TLS_LIBRARY || socket.getPeerX509Certificate() === undefined) return false;
  return handle.verifyError() !== null;
}

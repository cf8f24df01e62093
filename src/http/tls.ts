import { constants } from 'node:crypto';
import type { Server } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { ListenerTls } from './listen-address.ts';
import { explainError, type MalformedRequest } from './malformed-requests.ts';

/** As long as a plain connection has for the header of its request. */
const HANDSHAKE_MILLISECONDS = 10_000;

/**
 * What Node's HTTPS server needs for this. A peer with a certificate that is not verified, or with none, is let in all
 * the same: it is not believed, and the audit event of its request says why.
 */
export function httpsOptions({ certificatePem, privateKeyPem, peerCaCertificates }: ListenerTls): ServerOptions {
  return {
    cert: certificatePem,
    key: privateKeyPem,
    // Without a list of its own Node takes the public CAs.
    ca: [...(peerCaCertificates ?? [])],
    requestCert: peerCaCertificates !== undefined,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    // A resumed session would carry the certificate, and what was thought of it, of an earlier handshake; a peer that
    // renegotiates (TLS 1.2) could show another certificate than the one that was verified.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: HANDSHAKE_MILLISECONDS,
  };
}

/** Tells `onFailure` of each handshake that fails, and ends the connection. */
export function endFailedHandshakes(server: Server, onFailure: (handshake: MalformedRequest) => void): void {
  // Node's own listener hands these to `clientError`, where an answer would wait for a handshake that never ends.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const { code, reason } = explainError(error);
    // A load balancer that only looks whether the port is open goes away at once, and that is no failure.
    if (code !== 'ECONNRESET') onFailure({ code, reason: `in the TLS handshake: ${reason}` });
    // After a timeout Node leaves the connection to us.
    socket.destroy();
  });
}

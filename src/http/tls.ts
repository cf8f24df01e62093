import { constants } from 'node:crypto';
import type { Server as HttpsServer, ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { ListenerTls } from './listen-address.ts';
import { explainHandshakeError, type HandshakeError } from './malformed-reasons.ts';
import type { OnMalformed } from './malformed-requests.ts';
import { ignoredError, keepUnverifiedPeers } from './unverified-peers.ts';

/**
 * The cipher suites of every TLS server of this program. For TLS 1.2 only authenticated encryption with forward secrecy
 * (RFC 9325 §4.2, FAPI 2.0 §5.2.2). Node disables TLS 1.3 if the list does not contain its suites.
 */
export const TLS_CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** The same as the headers timeout of a plain connection. */
const HANDSHAKE_MILLISECONDS = 10_000;

/**
 * The options of Node's HTTPS server. The handshake also succeeds for a peer without a certificate, or with one that
 * does not verify: that peer is not trusted, and the audit event of its request contains the reason.
 */
export function httpsOptions({ certificatePem, privateKeyPem, peerCaCertificates }: ListenerTls): ServerOptions {
  return {
    cert: certificatePem,
    key: privateKeyPem,
    // Without an explicit list, Node uses the public CAs.
    ca: [...(peerCaCertificates ?? [])],
    requestCert: peerCaCertificates !== undefined,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ciphers: TLS_CIPHERS,
    // A resumed session would carry the certificate and the verification result of an earlier handshake; a peer that
    // renegotiates (TLS 1.2) could present another certificate than the one that was verified.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: HANDSHAKE_MILLISECONDS,
  };
}

/**
 * Reports each failed handshake to `onFailure`, and closes its connection. That of a peer whose certificate does not
 * verify has not failed.
 */
export function endFailedHandshakes(server: HttpsServer, onFailure: OnMalformed): void {
  keepUnverifiedPeers(server);
  // Node's own listener emits these as `clientError`, whose response would wait for the handshake to complete.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: HandshakeError, socket: TLSSocket) => {
    // A load balancer that checks whether the port is open disconnects at once, which is not a failure.
    const failure = ignoredError(socket) ?? (error.code === 'ECONNRESET' ? undefined : error);
    if (failure) onFailure(explainHandshakeError(failure), socket);
    // After a handshake timeout Node leaves the connection open.
    socket.destroy();
  });
}

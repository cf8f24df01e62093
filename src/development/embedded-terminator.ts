import { constants } from 'node:crypto';
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { OnMalformed } from '../http/malformed-requests.ts';
import { endFailedHandshakes, TLS_CIPHERS } from '../http/tls.ts';
import type { KeyPairWithCertificate } from '../pki/certificate/issue-certificate.ts';
import { knownHeaders } from '../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../terminator/trusted-proxy.ts';
import { isForHome } from './home.ts';
import { isForProtectedApi, serveProtectedApi } from './protected-api.ts';

export interface EmbeddedTerminatorOptions {
  readonly port: number;
  readonly server: KeyPairWithCertificate;
  /** The CA whose certificates verify as SUCCESS. */
  readonly ca: KeyPairWithCertificate;
  /** The address of the authorization server. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** The address of its edge, which checks the requests for the API. */
  readonly edge: { readonly host: string; readonly port: number };
  readonly proxySecret: string;
  /** Serves the pages of the development server. */
  readonly home: RequestListener;
  /** Called with the body of each response of the token endpoint. */
  readonly onTokenResponse: (body: string) => void;
  /** Called when the handshake of a client fails. */
  readonly onFailedHandshake: OnMalformed;
  /** The header for the verification result. The certificate is in `Client-Cert` (RFC 9440). */
  readonly verifyHeader: string;
}

export interface EmbeddedTerminator {
  close(): Promise<void>;
}

/**
 * A TLS terminator in this process, for development: it takes the place of nginx. It requests a client certificate,
 * accepts any, forwards whether the CA issued it, and forwards the request over HTTP.
 *
 * @throws {OperatorError} if it cannot listen on the port
 */
export async function startEmbeddedTerminator(options: EmbeddedTerminatorOptions): Promise<EmbeddedTerminator> {
  const { port, server, ca } = options;
  const tls = {
    cert: server.certificatePem,
    key: server.privateKeyPem,
    ca: ca.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ciphers: TLS_CIPHERS,
    // A resumed session would have the verification result of an earlier handshake; a client that renegotiates (TLS 1.2)
    // could present another certificate.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  } as const;
  const terminator = createServer(tls, (incoming, outgoing) => forward(incoming, outgoing, options));
  endFailedHandshakes(terminator, options.onFailedHandshake);
  const sockets = new Set<Socket>();
  terminator.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    terminator.once('error', (error: NodeJS.ErrnoException) => reject(new OperatorError([explain(error, port)])));
    terminator.listen(port, '127.0.0.1', resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        terminator.close(() => resolve());
        // Idle connections of a browser and unfinished handshakes would delay the exit.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, port: number): string {
  if (error.code !== 'EADDRINUSE') return `cannot listen on localhost:${port}: ${fileErrorReason(error)}`;
  return `port ${port} on localhost is in use: choose another one with --port ${port + 1} (npm start -- --port ${port + 1})`;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, options: EmbeddedTerminatorOptions): void {
  const { upstream, edge, proxySecret, verifyHeader, home } = options;
  const ownHeaders = {
    ...certificateHeaders(incoming.socket as TLSSocket, verifyHeader),
    [PROXY_SECRET_HEADER]: proxySecret,
  };
  // Node's parser drops the bytes that follow a request with Upgrade.
  if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false;
  if (isForProtectedApi(incoming)) {
    serveProtectedApi(incoming, outgoing, edge, ownHeaders);
    return;
  }
  if (isForHome(incoming)) {
    home(incoming, outgoing);
    return;
  }
  const headers = [...forwardedHeaders(incoming.rawHeaders, verifyHeader), ...Object.entries(ownHeaders).flat()];
  const { method, url: path } = incoming;
  const upstreamRequest = request({ ...upstream, method, path, headers, setHost: false }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, withoutHeaders(response.rawHeaders, connectionHeaders));
    response.pipe(outgoing);
    if (path === '/token' && response.statusCode === 200) collect(response, options.onTokenResponse);
  });
  upstreamRequest.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
  incoming.pipe(upstreamRequest);
}

function collect(response: IncomingMessage, onBody: (body: string) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.once('end', () => onBody(Buffer.concat(chunks).toString()));
}

/** Headers about one connection (RFC 9110 §7.6.1), except those of the message body. */
const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'te', 'trailer', 'upgrade']);

/**
 * The request headers without those about the connection, headers that this or another terminator sets, and headers
 * whose names some servers take for one of these.
 */
function forwardedHeaders(rawHeaders: readonly string[], verifyHeader: string): string[] {
  return withoutHeaders(
    rawHeaders,
    new Set([...knownHeaders, PROXY_SECRET_HEADER, verifyHeader, ...connectionHeaders]),
  );
}

/** @param names in lower case, with hyphens */
function withoutHeaders(rawHeaders: readonly string[], names: ReadonlySet<string>): string[] {
  const isDropped = (name: string) => names.has(name.toLowerCase().replace(/[._]/g, '-'));
  return rawHeaders.flatMap((name, index) => {
    const value = rawHeaders[index + 1];
    return index % 2 === 1 || value === undefined || isDropped(name) ? [] : [name, value];
  });
}

/** The certificate as in RFC 9440 §2.2, and the verification result as nginx writes it. */
function certificateHeaders(socket: TLSSocket, verifyHeader: string): Record<string, string> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { [verifyHeader]: 'NONE' };
  const verification = socket.authorized ? 'SUCCESS' : `FAILED:${failureText(String(socket.authorizationError))}`;
  return { 'client-cert': `:${certificate.raw.toString('base64')}:`, [verifyHeader]: verification };
}

/** The text of OpenSSL, which nginx forwards, for an error that Node names by its code. */
function failureText(code: string): string {
  return opensslTexts[code] ?? code;
}

/** For an unknown issuer: such a certificate may be a registered one. */
const opensslTexts: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
};

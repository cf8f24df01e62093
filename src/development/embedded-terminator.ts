import { constants } from 'node:crypto';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { OperatorError } from '../operator-error.ts';
import type { KeyPairWithCertificate } from '../pki/certificate/issue-certificate.ts';
import { knownHeaders } from '../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../terminator/trusted-proxy.ts';

export interface EmbeddedTerminatorOptions {
  readonly port: number;
  readonly server: KeyPairWithCertificate;
  /** Whose certificates get the verdict SUCCESS. */
  readonly ca: KeyPairWithCertificate;
  /** Where the app listens. */
  readonly upstream: { readonly host: string; readonly port: number };
  readonly proxySecret: string;
  /** The field for the verdict; the certificate goes into `Client-Cert` (RFC 9440). */
  readonly verifyHeader: string;
}

export interface EmbeddedTerminator {
  close(): Promise<void>;
}

/**
 * A TLS terminator in this process, for development: what nginx is in production. It asks for a client certificate,
 * takes any, says in the verdict whether the CA vouches for it, and forwards the request over HTTP.
 *
 * @throws {OperatorError} when the port cannot be listened on
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
    // A resumed session would carry the verdict of an earlier handshake.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  const terminator = createServer(tls, (incoming, outgoing) => forward(incoming, outgoing, options));
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
        // Nobody who develops waits for a browser's idle connections, or for handshakes that never end.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, port: number): string {
  if (error.code !== 'EADDRINUSE') return `cannot listen on localhost:${port}: ${error.message}`;
  return `port ${port} on localhost is in use; choose another with: npm start -- --port ${port + 1}`;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, options: EmbeddedTerminatorOptions): void {
  const { upstream, proxySecret, verifyHeader } = options;
  const own = {
    ...certificateHeaders(incoming.socket as TLSSocket, verifyHeader),
    [PROXY_SECRET_HEADER]: proxySecret,
  };
  const headers = [...withoutCopies(incoming.rawHeaders, verifyHeader), ...Object.entries(own).flat()];
  const { method, url: path } = incoming;
  const upstreamRequest = request({ ...upstream, method, path, headers, setHost: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(outgoing);
  });
  upstreamRequest.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
  incoming.pipe(upstreamRequest);
}

/**
 * Hop-by-hop fields (RFC 9110 §7.6.1) end here, and so do a client's own copies of what we set, of what other
 * terminators set, and of what looks like either of them.
 */
function withoutCopies(rawHeaders: readonly string[], verdictHeader: string): string[] {
  const dropped = new Set([...knownHeaders, PROXY_SECRET_HEADER, verdictHeader]);
  for (const name of ['connection', 'keep-alive', 'te', 'trailer', 'upgrade']) dropped.add(name);
  const isDropped = (name: string) => dropped.has(name.toLowerCase().replace(/[._]/g, '-'));
  return rawHeaders.flatMap((name, index) => {
    const value = rawHeaders[index + 1];
    return index % 2 === 1 || value === undefined || isDropped(name) ? [] : [name, value];
  });
}

/** The certificate as RFC 9440 §2.2 writes it, and the verdict in nginx's words. */
function certificateHeaders(socket: TLSSocket, verdictHeader: string): Record<string, string> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { [verdictHeader]: 'NONE' };
  const verdict = socket.authorized ? 'SUCCESS' : `FAILED:${String(socket.authorizationError)}`;
  return { 'client-cert': `:${certificate.raw.toString('base64')}:`, [verdictHeader]: verdict };
}

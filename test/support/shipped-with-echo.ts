import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createTestCa } from './certificates.ts';
import { type Identity, mtlsHost, plainHost, type Route } from './deployment.ts';
import { eventually } from './eventually.ts';
import { forwardedAs } from './forwarded-as.ts';
import { freePort } from './free-port.ts';
import { type HeaderEcho, startHeaderEcho } from './header-echo.ts';
import type { HttpResponse } from './http-response.ts';
import { type Open, openTls } from './open-connection.ts';
import { openssl } from './openssl.ts';
import { type RawRequest, requestBytes, sendRaw } from './raw-http.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The client CA of the terminators below. */
export const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });

type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

interface AnyServer {
  /** Whether the server may present a certificate for another name. Default: false. */
  readonly anyServer?: boolean;
}

/** A terminator with its shipped configuration, before an application that responds with the received headers. */
export interface ShippedWithEcho {
  readonly port: number;
  readonly running: RunningTerminator;
  readonly send: (request?: RawRequest, route?: Route & AnyServer) => Promise<HttpResponse>;
  /** Two handshakes, the second with the session of the first where it got one, and a request on each. */
  readonly sendTwice: (identity: Identity, version: TlsVersion) => Promise<{ reused: boolean; second: string }>;
  /** The output of OpenSSL's client for a handshake with the mutual TLS host. */
  readonly handshake: (version: '-tls1_2' | '-tls1_3') => Promise<string>;
  /** Resolves to the exit code of the terminator. */
  readonly stop: () => Promise<number>;
}

export async function startShippedWithEcho(
  start: (options: ShippedTerminatorOptions) => Promise<RunningTerminator>,
  replace: ShippedTerminatorOptions['replace'] = [],
  /** The address of an application that is unavailable. Default: the echo. */
  unavailable?: string,
): Promise<ShippedWithEcho> {
  const directory = temporaryDirectory();
  clientCa.writeTo(directory, 'client-ca');
  for (const host of [plainHost, mtlsHost]) {
    serverCa.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
  }
  const echo: HeaderEcho = await startHeaderEcho();
  const port = await freePort();
  const running = await start({ directory, port, socket: unavailable ?? echo.url, replace });
  const stop = async () => {
    const code = await running.stop();
    await echo.stop();
    return code;
  };
  return { port, running, ...clientsAt(port), stop };
}

function clientsAt(port: number): Pick<ShippedWithEcho, 'send' | 'sendTwice' | 'handshake'> {
  const url = `https://127.0.0.1:${port}`;
  const send: ShippedWithEcho['send'] = (request = { method: 'GET' }, route = {}) => {
    const { identity, host = mtlsHost, sni = host, anyServer = false } = route;
    const unchecked = anyServer ? { checkServerIdentity: () => undefined } : {};
    const own = identity && { cert: identity.pem, key: identity.privateKeyPem };
    const lines = [`Host: ${host}`, ...(request.lines ?? [])];
    return sendRaw(url, requestBytes({ ...request, lines }), {
      tls: { ca: serverCa.pem, servername: sni, ...own, ...unchecked },
    });
  };
  const sendTwice: ShippedWithEcho['sendTwice'] = async (identity, version) => {
    const own = { cert: identity.pem, key: identity.privateKeyPem, maxVersion: version, minVersion: version };
    const tls = { ca: serverCa.pem, servername: mtlsHost, ...own };
    const first = await openTls(url, tls);
    let session = first.socket.getSession();
    first.socket.on('session', (later) => {
      session = later;
    });
    await askOn(first);
    const second = await openTls(url, { ...tls, session });
    const reused = second.socket.isSessionReused();
    return { reused, second: await askOn(second) };
  };
  const handshake: ShippedWithEcho['handshake'] = (version) =>
    openssl(['s_client', '-connect', `127.0.0.1:${port}`, '-servername', mtlsHost, version], 'Q\n');
  return { send, sendTwice, handshake };
}

async function askOn({ socket, received }: Open<TLSSocket>): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${mtlsHost}\r\n\r\n`);
  await eventually(() => received().includes('"]'), received);
  socket.destroy();
  return received();
}

/** The fields of every format, the secret and where the request comes from, in two cases and with underscores, and ours named in `Connection`. */
export function forgedLines(): string[] {
  const { der, pem } = clientCa;
  const formats = Object.values(forwardedAs).flatMap((encode) => Object.keys(encode({ der, pem }, [{ der, pem }])));
  const lines = [...new Set([...formats, 'x-countersign-proxy-secret', 'x-request-id', 'x-forwarded-for'])].flatMap(
    (name) => [`${name}: forged`, `${name.toUpperCase()}: forged`, `${name.replaceAll('-', '_')}: forged`],
  );
  return ['Connection: X-SSL-Client-Cert, X-SSL-Client-Verify', ...lines];
}

/** For a configuration that reads a file of its own. */
export function temporaryFile(text: string): string {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

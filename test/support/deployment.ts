import { join } from 'node:path';
import {
  type AuthorizationServer,
  type Decision,
  type ServerOptions,
  startAuthorizationServer,
} from './authorization-server.ts';
import { type CertificateOptions, createTestCa, type MintedCertificate, type TestCa } from './certificates.ts';
import { curl } from './curl.ts';
import { freePort } from './free-port.ts';
import type { HttpResponse } from './http-response.ts';
import { type HttpsFetch, httpsFetch } from './https-fetch.ts';
import { type RawRequest, requestBytes, sendRaw } from './raw-http.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from './terminators.ts';

/** The host names in the shipped configuration. */
export const plainHost = 'auth.example';
export const mtlsHost = 'mtls.auth.example';

export interface DeploymentOptions extends Omit<ServerOptions, 'directory'> {
  /** Default: nginx. */
  readonly terminator?: TerminatorName;
  /** Further replacements in the shipped configuration. */
  readonly replace?: ShippedTerminatorOptions['replace'];
  /** The path of the issuer, e.g. `/tenant`. Default: none. */
  readonly path?: string;
  /** What follows the path of the issuer in the URL for clients with a certificate, e.g. `/connect/mtls`. Default: nothing. */
  readonly mtlsPath?: string;
  /** What is special about the client CA. */
  readonly clientCa?: CertificateOptions;
}

/** A certificate and its key, for the TLS client of Node.js. */
export type Identity = Pick<MintedCertificate, 'pem' | 'privateKeyPem'>;

export interface Route {
  /** The certificate that the client presents in the handshake. */
  readonly identity?: Identity | undefined;
  /** The Host header. Default: `mtls.auth.example`. */
  readonly host?: string;
  /** The SNI of the handshake, or `''` for none. Default: the host. */
  readonly sni?: string;
  /** The port of a second terminator with the same certificates. Default: that of the deployment. */
  readonly port?: number;
  /** The OpenSSL cipher list of the client, such as `DEFAULT@SECLEVEL=0` to present a weak certificate. */
  readonly ciphers?: string;
}

export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** A real terminator with the shipped configuration in front of the real Countersign and Redis. */
export interface Deployment extends AuthorizationServer {
  readonly port: number;
  readonly issuer: string;
  readonly mtlsUrl: string;
  readonly proxy: RunningTerminator;
  /** The client CA, which the terminator trusts. */
  readonly ca: TestCa;
  /** The folder for keys and certificates of clients. */
  readonly directory: string;
  /** The CA certificate of the server certificates, PEM. */
  readonly serverCa: string;
  /** Sends a request through the terminator, byte for byte. */
  readonly send: (request: RawRequest, route?: Route) => Promise<HttpResponse>;
  /** Sends arbitrary bytes; the host of the route applies to the handshake only. */
  readonly sendBytes: (bytes: Uint8Array, route?: Route) => Promise<HttpResponse>;
  /** Sends a client credentials request through the terminator, with the TLS client of Node.js. */
  readonly requestToken: (clientId: string, route?: Route, more?: Parameters) => Promise<Decision>;
  /** Sends a client credentials request with the real curl, to the mutual TLS host. */
  readonly curlToken: (clientId: string, identity: MintedCertificate, more?: Parameters) => Promise<Decision>;
  readonly fetchAs: (identity?: Identity) => HttpsFetch;
}

export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const {
    path = '',
    env = {},
    replace = [],
    terminator = 'nginx',
    clientCa = {},
    mtlsPath = '',
    ...serverOptions
  } = options;
  const shipped: ShippedTerminator = terminators[terminator];
  const directory = temporaryDirectory();
  const port = await freePort();
  const issuer = `https://${plainHost}:${port}${path}`;
  const mtlsUrl = `https://${mtlsHost}:${port}${path}${mtlsPath}`;
  const ca = createTestCa({ subject: [['CN', 'Client CA']], ...clientCa });
  const defaults = {
    COUNTERSIGN_ISSUER: issuer,
    COUNTERSIGN_MTLS_URL: mtlsUrl,
    COUNTERSIGN_CLIENT_CA_FILE: ca.writeTo(directory, 'client-ca').cert,
  };
  const server = await startAuthorizationServer({
    ...serverOptions,
    directory,
    env: { ...defaults, ...shipped.env, ...env },
  });
  const serverCa = writeServerCertificates(directory);
  const proxy = await shipped.start({ directory, port, socket: server.url, replace }).catch(async (error) => {
    await server.stop();
    throw error;
  });
  const clients = clientsOf(server, { port, mtlsUrl, directory, serverCa: serverCa.pem });
  const stop = async () => {
    await proxy.stop();
    await server.stop();
  };
  const facts = { port, issuer, mtlsUrl, directory, serverCa: serverCa.pem };
  return { ...server, ...facts, proxy, ca, ...clients, stop };
}

function writeServerCertificates(directory: string): TestCa {
  const ca = createTestCa({ subject: [['CN', 'Server CA']] });
  ca.writeTo(directory, 'server-ca');
  for (const host of [plainHost, mtlsHost]) ca.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
  return ca;
}

type Facts = Pick<Deployment, 'port' | 'mtlsUrl' | 'directory' | 'serverCa'>;

function clientsOf({ decide }: AuthorizationServer, { port, mtlsUrl, directory, serverCa }: Facts) {
  const sendBytes: Deployment['sendBytes'] = (bytes, route = {}) => {
    const { identity, host = mtlsHost, sni = host, ciphers } = route;
    const own = { ...(identity && { cert: identity.pem, key: identity.privateKeyPem }), ...(ciphers && { ciphers }) };
    return sendRaw(`https://127.0.0.1:${route.port ?? port}`, bytes, {
      tls: { ca: serverCa, servername: sni, ...own },
    });
  };
  const send: Deployment['send'] = (request, route = {}) => {
    const lines = [...(namesHost(request) ? [] : [`Host: ${route.host ?? mtlsHost}`]), ...(request.lines ?? [])];
    return sendBytes(requestBytes({ ...request, lines }), route);
  };
  const requestToken: Deployment['requestToken'] = (clientId, route, more) => {
    const lines = ['Content-Type: application/x-www-form-urlencoded'];
    return decide(() => send({ lines, body: formOf(clientId, more) }, route));
  };
  const curlToken: Deployment['curlToken'] = (clientId, identity, more) => {
    const { cert, key } = identity.writeTo(directory, `client-${identity.thumbprint}`);
    const tls = ['--cacert', join(directory, 'server-ca.pem'), '--cert', cert, '--key', key];
    const address = ['--connect-to', `::127.0.0.1:${port}`, `${mtlsUrl}/token`];
    return decide(() => curl([...tls, '--data', formOf(clientId, more), ...address]));
  };
  const fetchAs: Deployment['fetchAs'] = (identity) =>
    httpsFetch({ ca: serverCa, ...(identity && { cert: identity.pem, key: identity.privateKeyPem }) });
  return { send, sendBytes, requestToken, curlToken, fetchAs };
}

function namesHost({ lines = [] }: RawRequest): boolean {
  return lines.some((line) => /^host:/i.test(line));
}

/** The body of a client credentials request; a parameter with several values is repeated. */
export function formOf(clientId: string, more: Parameters = {}): string {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
  for (const [name, values] of Object.entries(more)) for (const value of [values].flat()) form.append(name, value);
  return form.toString();
}

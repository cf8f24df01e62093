import { generateKeyPairSync } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { headerFormats } from '../../src/terminator/formats.ts';
import { createTestCa, type MintedCertificate, type TestCa, thumbprintOf } from './certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from './countersign.ts';
import { type DemoUpstream, type ReceivedRequest, receivedValues, startDemoUpstream } from './demo-upstream.ts';
import type { Identity } from './deployment.ts';
import { apiHost, type EdgeProxy, type EdgeProxyName, type EdgeProxyOptions, edgeProxies } from './edge-proxies.ts';
import { certificateFor, type EdgeRecords, edgeRecords } from './edge-records.ts';
import { eventually } from './eventually.ts';
import { exact } from './forged-headers.ts';
import { freePort } from './free-port.ts';
import type { HttpResponse } from './http-response.ts';
import { type RawRequest, requestBytes, sendRaw, sendRequest } from './raw-http.ts';
import { keyPrefix } from './redis.ts';
import type { RunningTerminator } from './shipped-terminator.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface EdgeDeploymentOptions {
  readonly proxy: EdgeProxyName;
  /** Of Countersign, in addition to the defaults, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further replacements in the shipped configuration. */
  readonly replace?: EdgeProxyOptions['replace'];
  /** The Redis that holds the records. Default: a file. */
  readonly redisUrl?: string;
  /** The CA of the clients. Default: a new one. */
  readonly ca?: TestCa;
  /** Where the proxy finds the edge, if not where Countersign listens. */
  readonly edge?: string;
  /** Where the proxy finds the API, if it is another one than `upstream`. */
  readonly api?: string;
}

/** What the client and the API saw of a request. */
export interface EdgeExchange {
  readonly response: HttpResponse;
  /** The requests that reached the API meanwhile: none if it was denied. */
  readonly received: readonly ReceivedRequest[];
}

/** The real Countersign with its edge, a real proxy with its shipped configuration, and an API behind it. */
export interface EdgeDeployment {
  readonly port: number;
  /** The environment of Countersign, to start it again or a replica. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the edge of Countersign listens. */
  readonly edge: string;
  readonly countersign: RunningCountersign;
  readonly proxy: RunningTerminator;
  readonly upstream: DemoUpstream;
  readonly ca: TestCa;
  /** The CA of the proxy's own certificate. */
  readonly serverCa: TestCa;
  /** The TLS options of a client with this certificate, or with none. */
  readonly tlsOf: (identity?: Identity) => { ca: string; servername: string; cert?: string; key?: string };
  /** The certificate that the records register for this name; always the same. */
  readonly certificateOf: (name: string) => MintedCertificate;
  /** Sends one request through the proxy, byte for byte. Bytes include the Host header. */
  readonly send: (request: RawRequest | Uint8Array, identity?: Identity) => Promise<HttpResponse>;
  /** The same, one after the other, with what the API received. */
  readonly exchange: (request: RawRequest | Uint8Array, identity?: Identity) => Promise<EdgeExchange>;
  /** A token of the token endpoint for the client with this name, for the resource. */
  readonly requestToken: (name: string, audience: string) => Promise<string>;
  /** Verifies a token as the API does: signature, issuer, audience. Returns its claims. */
  readonly verify: (token: string, audience: string) => Promise<JWTPayload>;
  /** Replaces the records, and waits until this server uses them (with Redis: until they are stored). */
  readonly apply: (records: EdgeRecords) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startEdgeDeployment(options: EdgeDeploymentOptions): Promise<EdgeDeployment> {
  const { env: proxyEnv, start }: EdgeProxy = edgeProxies[options.proxy];
  const directory = temporaryDirectory();
  const { ca = createTestCa({ subject: [['CN', 'Client CA']] }) } = options;
  const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
  serverCa.issue({ eku: 'server', dns: [apiHost] }).writeTo(directory, apiHost);
  const clientCaFile = ca.writeTo(directory, 'client-ca').cert;
  const store = storeOf(directory, options.redisUrl);
  await store.write(edgeRecords);
  const ownEdge = `unix:${join(directory, 'edge.sock')}`;
  const environment = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${join(directory, 'countersign.sock')}`,
    COUNTERSIGN_EDGE_LISTEN: ownEdge,
    COUNTERSIGN_SIGNING_KEY: signingKey(),
    COUNTERSIGN_CLIENT_CA_FILE: clientCaFile,
    ...store.env,
    ...proxyEnv,
    ...options.env,
  };
  const edge = options.edge ?? environment.COUNTERSIGN_EDGE_LISTEN;
  const countersign = await startCountersign({ env: environment });
  const upstream = await startDemoUpstream();
  const port = await freePort();
  const { api = upstream.url, replace = [] } = options;
  const proxy = await start({ directory, port, edge, upstream: api, replace }).catch(async (error) => {
    await Promise.all([countersign.stop(), upstream.stop()]);
    throw error;
  });
  const stop = async () => {
    await proxy.stop();
    await Promise.all([countersign.stop(), upstream.stop()]);
  };
  const facts = { port, environment, edge, countersign, proxy, upstream, ca, serverCa };
  let applied = JSON.stringify(edgeRecords);
  const apply = async (records: EdgeRecords) => {
    const seen = countersign.lines.length;
    const isSame = JSON.stringify(records) === applied;
    applied = JSON.stringify(records);
    await store.write(records);
    // A file with the same content is not reloaded.
    if (options.redisUrl || isSame) return;
    const isReloaded = () => countersign.lines.slice(seen).some(({ event }) => event === 'clients_reloaded');
    await eventually(isReloaded, () => JSON.stringify(countersign.lines.slice(seen)));
  };
  return { ...facts, ...clientsOf(facts, serverCa.pem), ...tokensOf(countersign, ca), apply, stop };
}

/** The thumbprint of the only certificate that the API received in the proxy's format; undefined if it received none. */
export function forwardedThumbprint(proxy: EdgeProxyName, request: ReceivedRequest): string | undefined {
  const { certificateHeader, decode } = headerFormats[edgeProxies[proxy].env.COUNTERSIGN_EDGE_TERMINATOR];
  const [value, ...others] = receivedValues(request, certificateHeader);
  if (others.length > 0) throw new Error(`the API received ${1 + others.length} times ${certificateHeader}`);
  return value === undefined ? undefined : thumbprintOf(decode(value).leaf);
}

/** The token that the API received, without its scheme. */
export function forwardedToken(request: ReceivedRequest): string | undefined {
  const values = receivedValues(request, 'authorization');
  if (values.length > 1) throw new Error(`the API received ${values.length} times Authorization`);
  return values[0]?.replace(/^bearer /i, '');
}

/** The claims of a token, without verification. */
export function claimsOf(token: string): JWTPayload {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** The bytes of a request for the API. Default: GET. */
export function edgeRequestBytes(request: RawRequest): Uint8Array {
  return requestBytes({ method: 'GET', ...request, lines: [`Host: ${apiHost}`, ...(request.lines ?? [])] });
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

interface Store {
  readonly env: Readonly<Record<string, string>>;
  readonly write: (records: EdgeRecords) => Promise<void>;
}

function storeOf(directory: string, redisUrl: string | undefined): Store {
  const file = join(directory, 'clients.json');
  // Renamed, so that the server never reads half a file.
  const write = (records: EdgeRecords) => {
    writeFileSync(`${file}.new`, JSON.stringify(records));
    renameSync(`${file}.new`, file);
  };
  if (!redisUrl) return { env: { COUNTERSIGN_CLIENTS_FILE: file }, write: async (records) => write(records) };
  const env = { COUNTERSIGN_REDIS_URL: redisUrl, COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix() };
  const apply = async (records: EdgeRecords) => {
    write(records);
    const { code, stdout, stderr } = await runCountersign(['clients', 'apply', '--file', file], { env });
    if (code !== 0) throw new Error(`clients apply: exit code ${code}\n${stdout}${stderr}`);
  };
  return { env, write: apply };
}

type Facts = Pick<EdgeDeployment, 'port' | 'upstream'>;

function clientsOf({ port, upstream }: Facts, ca: string): Pick<EdgeDeployment, 'tlsOf' | 'send' | 'exchange'> {
  const tlsOf: EdgeDeployment['tlsOf'] = (identity) => ({
    ca,
    servername: apiHost,
    ...(identity && { cert: identity.pem, key: identity.privateKeyPem }),
  });
  const send: EdgeDeployment['send'] = (request, identity) => {
    const bytes = request instanceof Uint8Array ? request : edgeRequestBytes(request);
    return sendRaw(`https://127.0.0.1:${port}`, bytes, { tls: tlsOf(identity) });
  };
  const exchange: EdgeDeployment['exchange'] = async (request, identity) => {
    const seen = upstream.requests.length;
    const response = await send(request, identity);
    return { response, received: upstream.requests.slice(seen) };
  };
  return { tlsOf, send, exchange };
}

function tokensOf(
  countersign: RunningCountersign,
  ca: TestCa,
): Pick<EdgeDeployment, 'certificateOf' | 'requestToken' | 'verify'> {
  const issued = new Map<string, MintedCertificate>();
  const certificateOf = (name: string) => {
    const certificate = issued.get(name) ?? ca.issue(certificateFor(name));
    issued.set(name, certificate);
    return certificate;
  };
  const requestToken: EdgeDeployment['requestToken'] = async (name, audience) => {
    const body = { grant_type: 'client_credentials', client_id: name, resource: audience };
    const request = () => sendRequest(countersign.url, { lines: exact(certificateOf(name)), body });
    let response = await request();
    // A server that has just started on a busy machine may not have reached Redis yet.
    const isDecided = async () => {
      if (response.status === 503) response = await request();
      return response.status !== 503;
    };
    await eventually(isDecided, () => `${response.status} ${response.body}`);
    if (response.status !== 200) throw new Error(`${response.status} ${response.body}`);
    return String(response.json().access_token);
  };
  const verify: EdgeDeployment['verify'] = async (token, audience) => {
    const jwks = await sendRequest(countersign.url, { method: 'GET', path: '/jwks' });
    const keys = createLocalJWKSet(JSON.parse(jwks.body));
    const { payload } = await jwtVerify(token, keys, { issuer: 'https://auth.example', audience, typ: 'at+jwt' });
    return payload;
  };
  return { certificateOf, requestToken, verify };
}

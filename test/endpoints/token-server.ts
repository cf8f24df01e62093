import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createApp } from '../../src/app.ts';
import { readClientCertificate } from '../../src/authentication/client-certificate.ts';
import { RecentExpiries } from '../../src/authentication/recent-expiries.ts';
import type { Client } from '../../src/clients/client.ts';
import { createMemoryRegistry } from '../../src/clients/registry/memory-registry.ts';
import type { Registry } from '../../src/clients/registry/registry.ts';
import { TokenRates } from '../../src/grants/token-rates.ts';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { openHttpListener } from '../../src/http/listener.ts';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { createChainVerifier } from '../../src/pki/path/verify-chain.ts';
import { parseResource } from '../../src/resources/parse-resource.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import { readRequestContext } from '../../src/terminator/request-context.ts';
import type { Terminator } from '../../src/terminator/terminator.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import type { AccessToken } from '../../src/tokens/access-token.ts';
import { createAccessTokenVerifier } from '../../src/tokens/access-token-verifier.ts';
import type { Keyring } from '../../src/tokens/keyring/keyring.ts';
import { singleKey } from '../../src/tokens/keyring/single-key.ts';
import type { TokenRevocations } from '../../src/tokens/revocation/token-revocations.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { defaultPolicy } from '../support/policy.ts';
import { type RawRequest, sendRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { signJws } from '../support/sign-jws.ts';

export const ISSUER = 'https://auth.example';
export const API = 'https://api.example';

/** The public listener in this process, with clients and a clock that a test changes, and a key whose owner it is. */
export interface TokenServer {
  readonly url: string;
  readonly clients: Map<string, Client>;
  readonly resources: Map<string, Resource>;
  readonly metrics: Metrics;
  /** The audit events so far. */
  readonly events: Record<string, unknown>[];
  /** Tokens that were revoked with the endpoint. */
  readonly revoked: AccessToken[];
  /** What a test replaces. */
  readonly replaced: Replaced;
  readonly keyId: string;
  /** Signs any claims as an access token, or as what the header says. */
  readonly sign: (claims: object, header?: object) => string;
  readonly certificateOf: (clientId: string) => MintedCertificate;
  /** Sends a request of an authenticated client. */
  readonly post: (path: string, clientId: string, form: Form, lines?: readonly string[]) => Promise<HttpResponse>;
  readonly send: (request: RawRequest) => Promise<HttpResponse>;
  readonly close: () => Promise<void>;
}

interface Replaced {
  registry: Partial<Registry>;
  keyring: Partial<Keyring>;
  isLogWritten: boolean;
  now: number | undefined;
  check: TokenRevocations['check'] | undefined;
  revoke: TokenRevocations['revoke'] | undefined;
}

type Form = Readonly<Record<string, string>>;

const terminator: Terminator = {
  name: 'nginx',
  certificateHeader: 'x-ssl-client-cert',
  chainHeader: undefined,
  verification: { by: 'countersign', fields: [] },
  proxyTrust: {
    trustedAddresses: parseTrustedAddresses().addresses,
    proxySecretDigests: [],
    proxyCertificateRules: [],
  },
};

/** @param clientIds each gets a certificate */
export async function startTokenServer(
  clientIds: readonly string[],
  resourceRecords: readonly object[] = [],
  { canRevoke = true } = {},
): Promise<TokenServer> {
  const certificates = new Map(clientIds.map((id) => [id, selfSigned({ subject: [['CN', id]] })]));
  const certificateOf = (id: string) => {
    const certificate = certificates.get(id);
    if (certificate) return certificate;
    throw new Error(`no client "${id}"`);
  };
  const clients = new Map(clientIds.map((id) => [id, client(id, certificateOf(id))]));
  const resources = new Map(resourceRecords.map(resource).map((each) => [each.name, each]));
  const replaced: Replaced = {
    ...{ registry: {}, keyring: {}, isLogWritten: true },
    ...{ now: undefined, check: undefined, revoke: undefined },
  };
  const now = () => replaced.now ?? Date.now();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { keyring, keyId } = await replaceableKeyring(privateKey, replaced);
  const revoked: AccessToken[] = [];
  const events: Record<string, unknown>[] = [];
  const write = (fields: object) => void events.push({ ...fields });
  const metrics = createMetrics();
  const memory = createMemoryRegistry(
    { current: () => ({ clients, resources: new Map(resources) }), stop: () => {} },
    'a test',
  );
  const revocations: TokenRevocations | undefined = canRevoke
    ? {
        check: (token) => replaced.check?.(token),
        findKnown: () => undefined,
        revoke: (token) => (replaced.revoke ?? (async (each) => void revoked.push(each)))(token),
        close: async () => {},
      }
    : undefined;
  const verifyChain = createChainVerifier(() => createTrustStore([]));
  const source = {
    terminator,
    decodeChain: createCertificateReader('nginx'),
    verifyChain: (presented: Parameters<typeof verifyChain>[0]) => verifyChain(presented, now()),
    detectForeignHeaders: () => {},
  };
  const app = createApp({
    issuer: ISSUER,
    mtlsUrl: 'https://mtls.auth.example',
    listensOn: 'tcp',
    expiries: new RecentExpiries(),
    readContext: (request) => readRequestContext(request, terminator.proxyTrust),
    readCertificate: (request, entry) => readClientCertificate(request, source, entry),
    registry: {
      ...memory,
      find: (clientId) => (replaced.registry.find ?? memory.find)(clientId),
      findResourcesByAudience: (audience) =>
        (replaced.registry.findResourcesByAudience ?? memory.findResourcesByAudience)(audience),
    },
    keyring,
    tokenRates: new TokenRates(),
    accessTokens: createAccessTokenVerifier({ issuer: ISSUER, keyring, revocations }),
    revocations,
    auditLog: createAuditLog(
      { info: write, warn: write, error: write },
      addRequestMetrics(metrics),
      async () => replaced.isLogWritten,
    ),
    now,
  });
  const listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, app.fetch, () => {});
  const url = describeListenAddress(listener.address);
  const send = (request: RawRequest) =>
    sendRequest(url, { ...request, lines: ['Connection: close', ...(request.lines ?? [])] });
  return {
    url,
    clients,
    resources,
    metrics,
    events,
    revoked,
    replaced,
    keyId,
    sign: (claims, header = {}) => signJws({ alg: 'ES256', typ: 'at+jwt', kid: keyId, ...header }, claims, privateKey),
    certificateOf,
    post: (path, clientId, form, lines = []) =>
      send({
        path,
        lines: [...lines, certificateLine(certificateOf(clientId))],
        body: { client_id: clientId, ...form },
      }),
    send,
    close: listener.close,
  };
}

export function certificateLine({ pem }: Pick<MintedCertificate, 'pem'>): string {
  return `X-SSL-Client-Cert: ${encodeURIComponent(pem)}`;
}

/** A client that is registered by its certificate. */
export function client(clientId: string, { thumbprint }: MintedCertificate, fields: object = {}): Client {
  return registeredClient({ client_id: clientId, certificates: [{ thumbprint }], ...fields });
}

/** @throws {Error} with the errors of the record */
export function resource(record: object): Resource {
  const parsed = parseResource(
    { name: 'api', resource: API, scope: 'read', binding: 'caller', ...record },
    { ...defaultPolicy, allowUnboundEdgeTokens: true },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.resource;
}

/** The claims of an active token of the client. */
export function claimsFor(clientId: string, more: object = {}): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  const times = { iat, nbf: iat, exp: iat + 300 };
  const cnf = { 'x5t#S256': 'UNDNLJ1dYoA9wCRbXL8gP_gHLId2-BDc8quj41x1Xmg' };
  return {
    iss: ISSUER,
    sub: clientId,
    aud: API,
    client_id: clientId,
    ...times,
    jti: 'an-id',
    scope: 'read',
    cnf,
    ...more,
  };
}

async function replaceableKeyring(privateKey: KeyObject, replaced: Replaced) {
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const key = await readSigningKey(pem, undefined);
  const single = singleKey(key);
  const keyring: Keyring = {
    ...single,
    get published() {
      return replaced.keyring.published ?? single.published;
    },
    signingKey: (algorithm) => (replaced.keyring.signingKey ?? single.signingKey)(algorithm),
    find: (keyId) => (replaced.keyring.find ?? single.find)(keyId),
  };
  return { keyring, keyId: key.keyId };
}

import { generateKeyPairSync } from 'node:crypto';
import { readClientCertificate } from '../../src/authentication/client-certificate.ts';
import { RecentExpiries } from '../../src/authentication/recent-expiries.ts';
import type { Client } from '../../src/clients/client.ts';
import { createMemoryRegistry } from '../../src/clients/registry/memory-registry.ts';
import type { Registry } from '../../src/clients/registry/registry.ts';
import { addCheckMetrics } from '../../src/edge/check-metrics.ts';
import { createEdgeApplication } from '../../src/edge/edge-application.ts';
import { TokenRates } from '../../src/grants/token-rates.ts';
import { describeListenAddress, type ListenAddress } from '../../src/http/listen-address.ts';
import { type ListenerLimits, openListener } from '../../src/http/listener.ts';
import type { MalformedRequest } from '../../src/http/malformed-reasons.ts';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';
import { createTrustStore, type TrustStore } from '../../src/pki/path/trust-store.ts';
import { createChainVerifier } from '../../src/pki/path/verify-chain.ts';
import { parseResource } from '../../src/resources/parse-resource.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import { readRequestContext } from '../../src/terminator/request-context.ts';
import type { Terminator } from '../../src/terminator/terminator.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { createAccessTokenVerifier } from '../../src/tokens/access-token-verifier.ts';
import type { Keyring } from '../../src/tokens/keyring/keyring.ts';
import { singleKey } from '../../src/tokens/keyring/single-key.ts';
import type { RevocableToken } from '../../src/tokens/revocation/token-revocations.ts';
import { readSigningKey, type SigningKey } from '../../src/tokens/signing-key.ts';
import { defaultPolicy } from '../support/policy.ts';

/** An edge in this process, which listens on a free port, with records and a clock that tests change. */
export interface EdgeServer {
  readonly url: string;
  readonly clients: Map<string, Client>;
  readonly resources: Map<string, Resource>;
  readonly signingKey: SigningKey;
  /** The audit events so far. */
  readonly events: Record<string, unknown>[];
  readonly malformed: MalformedRequest[];
  readonly metrics: Metrics;
  /** Replaces members of the registry, or of the server. */
  readonly replaced: {
    registry: Partial<Registry>;
    isLogWritten: boolean;
    now: number | undefined;
    /** The certificates of the trust store. */
    trust: TrustStore;
    revocation: ((token: RevocableToken) => string | undefined | Promise<string | undefined>) | undefined;
  };
  readonly close: () => Promise<void>;
}

export const ISSUER = 'https://auth.example';

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

const anyAddress: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };

export async function startEdge(
  records: { readonly clients: readonly Client[]; readonly resources: readonly object[] },
  { limits, keyring: givenKeyring }: { readonly limits?: ListenerLimits; readonly keyring?: Keyring } = {},
): Promise<EdgeServer> {
  const clients = new Map(records.clients.map((client) => [client.clientId, client]));
  const resources = new Map(records.resources.map(resource).map((parsed) => [parsed.name, parsed]));
  const { privateKey } = generateKeyPairSync('ed25519');
  const signingKey = await readSigningKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), undefined);
  const replaced: EdgeServer['replaced'] = {
    registry: {},
    isLogWritten: true,
    now: undefined,
    trust: createTrustStore([]),
    revocation: undefined,
  };
  const revocations = {
    check: (token: RevocableToken) => replaced.revocation?.(token),
    findKnown: (token: RevocableToken) => {
      const known = replaced.revocation?.(token);
      return typeof known === 'string' ? known : undefined;
    },
  };
  const events: Record<string, unknown>[] = [];
  const write = (fields: object) => void events.push({ ...fields });
  const metrics = createMetrics();
  const requests = addRequestMetrics(metrics);
  const now = () => replaced.now ?? Date.now();
  const verifyChain = createChainVerifier(() => replaced.trust);
  const source = {
    terminator,
    decodeChain: createCertificateReader('nginx'),
    verifyChain: (presented: Parameters<typeof verifyChain>[0]) => verifyChain(presented, now()),
    detectForeignHeaders: () => {},
  };
  let version = { clients: new Map(clients), resources };
  // The registry indexes the clients of each version once.
  const current = () => {
    const known = [...version.clients.values()];
    const isCurrent = clients.size === known.length && [...clients.values()].every((client, i) => client === known[i]);
    if (!isCurrent) version = { clients: new Map(clients), resources };
    return version;
  };
  const memory = createMemoryRegistry({ current, stop: () => {} }, 'a test');
  const keyring = givenKeyring ?? singleKey(signingKey);
  const application = createEdgeApplication({
    issuer: ISSUER,
    listensOn: 'tcp',
    expiries: new RecentExpiries(),
    readContext: (request) => readRequestContext(request, terminator.proxyTrust),
    readCertificate: (request, entry) => readClientCertificate(request, source, entry),
    registry: {
      ...memory,
      find: (clientId) => (replaced.registry.find ?? memory.find)(clientId),
      findByCertificate: (...lookup) => (replaced.registry.findByCertificate ?? memory.findByCertificate)(...lookup),
      findResource: (name) => (replaced.registry.findResource ?? memory.findResource)(name),
    },
    keyring,
    tokenRates: new TokenRates(),
    accessTokens: createAccessTokenVerifier({ issuer: ISSUER, keyring, revocations }),
    revocations,
    auditLog: createAuditLog({ info: write, warn: write, error: write }, requests, async () => replaced.isLogWritten),
    countCheck: addCheckMetrics(metrics, requests),
    now,
  });
  const malformed: MalformedRequest[] = [];
  const onMalformed = (request: MalformedRequest) => void malformed.push(request);
  const listener = await openListener(anyAddress, application, onMalformed, limits);
  return {
    url: describeListenAddress(listener.address),
    clients,
    resources,
    signingKey,
    events,
    malformed,
    metrics,
    replaced,
    close: listener.close,
  };
}

/** @throws {Error} with the errors of the record */
export function resource(record: object): Resource {
  const parsed = parseResource(
    { name: 'api', resource: 'https://api.example', scope: 'read', binding: 'caller', ...record },
    { ...defaultPolicy, allowUnboundEdgeTokens: true },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.resource;
}

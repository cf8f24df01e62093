import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa, type MintedCertificate, type TestCa } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { forwardedAs } from '../support/forwarded-as.ts';
import { openssl } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import type { Cluster } from './cluster.ts';
import { envoyManifests, type GatewayOptions, nginxManifests } from './gateways.ts';
import { type OutsideClient, outsideClient } from './outside-client.ts';
import { configMap, type Manifest, namespace, secret } from './pods.ts';
import { redisManifests } from './redis.ts';
import { apply, PATIENCE, type Release, releaseOf, rolledOut, type Values } from './release.ts';

/** On the nodes, and in no registry. */
export const countersignImage = { repository: 'localhost/countersign', tag: 'test' } as const;

/** Selects the replicas of a release. */
export const replicas = 'app.kubernetes.io/name=countersign,app.kubernetes.io/component=server';

/** The chart in a namespace, behind a gateway in another one, and a client outside the cluster. */
export interface Scenario extends OutsideClient {
  readonly namespace: string;
  readonly release: Release;
  readonly values: Values;
  readonly pki: ScenarioPki;
}

/** With the records in a Redis, which is a Pod as well. */
export interface RedisScenario extends Scenario {
  /** Requests a token from one replica, as its gateway does: the status of the response. */
  readonly requestFromReplica: (socket: string) => Promise<number>;
  /** `COUNTERSIGN_REDIS_URL` of the administrator, for commands on this machine. */
  readonly administratorUrl: string;
}

export interface ScenarioPki {
  readonly serverCa: TestCa;
  readonly clientCa: TestCa;
  /** A CA that the gateway trusts already, and Countersign does not. */
  readonly otherCa: TestCa;
  /** Of the client `billing`. */
  readonly client: MintedCertificate;
  readonly proxySecret: string;
}

export function createPki(): ScenarioPki {
  const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
  return {
    serverCa: createTestCa({ subject: [['CN', 'Server CA']] }),
    clientCa,
    otherCa: createTestCa({ subject: [['CN', 'Other client CA']] }),
    client: clientCa.issue({ dns: ['billing.example'] }),
    proxySecret: randomBytes(32).toString('hex'),
  };
}

/** The chart behind nginx, with a Redis and a Job that applies the clients. */
export async function startRedisScenario(cluster: Cluster, helm: string): Promise<RedisScenario> {
  const server = 'auth';
  const pki = createPki();
  const passwords = { server: randomBytes(16).toString('hex'), administrator: randomBytes(16).toString('hex') };
  const volume = join(cluster.directory, 'volumes', 'redis');
  mkdirSync(volume, { recursive: true });
  chmodSync(volume, 0o777);
  await apply(cluster, [namespace(server)]);
  await apply(cluster, redisManifests(server, volume, passwords));
  await rolledOut(cluster, server, 'statefulset/redis');
  const values = {
    ...commonValues(server),
    terminator: 'nginx',
    redis: { urlSecretRef: { name: 'redis-server' }, adminUrlSecretRef: { name: 'redis-administrator' } },
    clients: { files: { 'billing.yaml': { clients: [clientRecord('billing')] } } },
  };
  const scenario = await install(cluster, { server, helm, values, pki, gateway: nginxManifests });
  const address = ['get', 'service', 'redis', '--output', 'jsonpath={.spec.clusterIP}'];
  const redis = await cluster.run(['kubectl', '--namespace', server, ...address]);
  const socket = await cluster.relay(`${redis}:6379`, 'node');
  return {
    ...scenario,
    requestFromReplica: (replica) => requestFromReplica(replica, pki),
    administratorUrl: `unix://administrator:${passwords.administrator}@localhost${socket}`,
  };
}

/** The chart behind Envoy, with the clients in two ConfigMaps: `billing` and `orders`. */
export async function startConfigMapScenario(cluster: Cluster, helm: string): Promise<Scenario> {
  const server = 'auth-files';
  await apply(cluster, [namespace(server)]);
  await apply(cluster, [
    clientsConfigMap(server, 'billing', ['billing']),
    clientsConfigMap(server, 'orders', ['orders']),
  ]);
  const values = {
    ...commonValues(server),
    terminator: 'envoy',
    settings: { VERIFY_HEADER: 'X-SSL-Client-Verify' },
    clients: { configMaps: ['clients-billing', 'clients-orders'] },
  };
  return install(cluster, { server, helm, values, pki: createPki(), gateway: envoyManifests });
}

/** The ConfigMap `clients-NAME` with the records of these clients, under a key that all of them have. */
export function clientsConfigMap(namespace: string, name: string, clientIds: readonly string[]): Manifest {
  const records = JSON.stringify({ clients: clientIds.map(clientRecord) });
  return configMap(namespace, `clients-${name}`, { 'clients.json': records });
}

/** A client is identified by the DNS name `ID.example`. */
function clientRecord(id: string): object {
  return {
    client_id: id,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: `${id}.example`,
    scope: 'orders.read',
  };
}

export const commonValues = (namespace: string) => ({
  image: { ...countersignImage, pullPolicy: 'Never' },
  issuer: `https://${plainHost}`,
  mtlsUrl: `https://${mtlsHost}`,
  proxyTrust: { secretRef: { name: 'proxy-secret' } },
  clientCa: { configMapRef: { name: 'client-ca' } },
  signingKeys: { secretRef: { name: 'signing-key' } },
  networkPolicy: {
    gateway: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': gatewayOf(namespace) } } }],
  },
  // Room for the old and the new replicas of an upgrade on a small machine.
  resources: { requests: { cpu: '100m', memory: '128Mi' } },
  // A replica that hangs is killed after this time.
  terminationGracePeriodSeconds: 20,
  livenessProbe: { periodSeconds: 2, failureThreshold: 5, timeoutSeconds: 3 },
  tests: { client: { certificateSecretName: 'test-client', clientId: 'billing' } },
});

const gatewayOf = (namespace: string) => `${namespace}-gateway`;

interface InstallOptions {
  readonly server: string;
  readonly helm: string;
  readonly values: Values;
  readonly pki: ScenarioPki;
  /** Default: a container of the Pods of the chart, whose Service has a port of each node. */
  readonly gateway?: (options: GatewayOptions) => readonly Manifest[];
}

/** Installs the chart, and its gateway behind a port of each node. */
export async function install(cluster: Cluster, options: InstallOptions): Promise<Scenario> {
  const { server, helm, values, pki, gateway } = options;
  const signingKey = await openssl(['genpkey', '-algorithm', 'ed25519']);
  await apply(cluster, [
    secret(server, 'proxy-secret', { 'proxy-secret': pki.proxySecret }),
    secret(server, 'signing-key', { 'signing-key.pem': signingKey }),
    secret(server, 'test-client', { 'tls.crt': pki.client.pem }),
    configMap(server, 'client-ca', { 'ca.crt': pki.clientCa.pem }),
  ]);
  const release = releaseOf(cluster, helm, server, 'countersign');
  await release.upgrade(values);
  const nodePort = gateway ? await startGateway(cluster, server, pki, gateway) : await nodePortOf(cluster, server);
  const socket = await cluster.relay(`10.250.0.1:${nodePort}`, 'outside');
  const client = outsideClient({ socket, serverCa: pki.serverCa.pem, clientId: 'billing', identity: pki.client });
  // The nodes forward to new Pods about a second after those are ready.
  await eventually(
    () =>
      client.publishedKeys().then(
        () => true,
        () => false,
      ),
    () => `the gateway of ${server} does not respond`,
    PATIENCE,
  );
  return { namespace: server, release, values, pki, ...client };
}

/** @returns its port on each node */
async function startGateway(
  cluster: Cluster,
  server: string,
  pki: ScenarioPki,
  gateway: (options: GatewayOptions) => readonly Manifest[],
): Promise<string> {
  const own = gatewayOf(server);
  const manifests = gateway({
    namespace: own,
    service: `countersign.${server}.svc.cluster.local:8080`,
    proxySecret: pki.proxySecret,
    serverCa: pki.serverCa,
    clientCas: `${pki.clientCa.pem}${pki.otherCa.pem}`,
  });
  await apply(cluster, [namespace(own)]);
  await apply(cluster, manifests);
  for (const { kind, metadata } of manifests)
    if (kind === 'Deployment') await rolledOut(cluster, own, `deployment/${metadata.name}`);
  return nodePortOf(cluster, own);
}

/** Of the first Service in the namespace that has one. */
async function nodePortOf(cluster: Cluster, namespace: string): Promise<string> {
  const path = 'jsonpath={.items[*].spec.ports[0].nodePort}';
  const ports = await cluster.run(['kubectl', '--namespace', namespace, 'get', 'services', '--output', path]);
  return ports.trim().split(' ')[0] ?? '';
}

async function requestFromReplica(socket: string, { client, proxySecret }: ScenarioPki): Promise<number> {
  const headers = { ...forwardedAs.nginx(client, []), 'x-countersign-proxy-secret': proxySecret };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const { status } = await sendRequest(`unix:${socket}`, {
    lines: [`Host: ${plainHost}`, 'Connection: close', ...lines],
    body: { grant_type: 'client_credentials', client_id: 'billing' },
  });
  return status;
}

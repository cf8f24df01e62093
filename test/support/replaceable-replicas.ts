import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenLoadOptions } from '../rotation/token-load.ts';
import { createTestCa } from './certificates.ts';
import { type RunningCountersign, startCountersign } from './countersign.ts';
import { mtlsHost, plainHost } from './deployment.ts';
import { startEnvoy } from './envoy.ts';
import { freePort } from './free-port.ts';
import { startNginx } from './nginx.ts';
import { listenOnLoopback, shippedConfiguration } from './nginx-configuration.ts';
import { openssl } from './openssl.ts';
import type { RunningTerminator } from './shipped-terminator.ts';
import { shippedFile } from './shipped-text.ts';
import { orStopAll, startAll, stopAll } from './start-all.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A replica, and the socket that it listens on. */
interface Replica extends Pick<RunningCountersign, 'kill' | 'exited' | 'stop'> {
  readonly socket: string;
}

/** Replicas behind a real terminator, whose list of them changes while it runs. */
export interface ReplaceableReplicas {
  /** Those that the terminator sends requests to. */
  readonly replicas: readonly Replica[];
  readonly start: () => Promise<Replica>;
  /** Makes the terminator send new requests to these only, as a balancer does that follows readiness. */
  readonly balance: (replicas: readonly Replica[]) => void;
  /** What a client sends, and where. */
  readonly load: Pick<TokenLoadOptions, 'port' | 'host' | 'tls' | 'body'>;
  readonly stop: () => Promise<void>;
}

/** A terminator that balances requests between sockets. */
interface Balancer extends RunningTerminator {
  readonly balance: (sockets: readonly string[]) => void;
}

/** Starts it with the shipped configuration, certificates in `directory`, on a loopback port. */
type StartBalancer = (directory: string, port: number, sockets: readonly string[]) => Promise<Balancer>;

const balancers = { nginx: startBalancingNginx, envoy: startBalancingEnvoy } satisfies Record<string, StartBalancer>;

export type BalancerName = keyof typeof balancers;

/** @param env further settings of each replica */
export async function startReplaceableReplicas(
  terminator: BalancerName,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<ReplaceableReplicas> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
  const client = clientCa.issue({ dns: ['billing.example'] });
  const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
  for (const host of [plainHost, mtlsHost]) serverCa.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
  const settings = {
    COUNTERSIGN_ISSUER: `https://${plainHost}:${port}`,
    COUNTERSIGN_MTLS_URL: `https://${mtlsHost}:${port}`,
    COUNTERSIGN_TERMINATOR: terminator,
    COUNTERSIGN_CLIENT_CA_FILE: clientCa.writeTo(directory, 'client-ca').cert,
    COUNTERSIGN_SIGNING_KEY_FILE: await writeSigningKey(directory),
    COUNTERSIGN_CLIENTS_FILE: writeClients(directory),
    ...env,
  };
  let started = 0;
  const start = async (): Promise<Replica> => {
    started += 1;
    const socket = join(directory, `replica-${started}.sock`);
    return { ...(await startCountersign({ env: { ...settings, COUNTERSIGN_LISTEN: `unix:${socket}` } })), socket };
  };
  let replicas: readonly Replica[] = await startAll(Array.from({ length: count }, start));
  const socketsOf = (each: readonly Replica[]) => each.map(({ socket }) => socket);
  const startBalancer = balancers[terminator];
  const balancer = await orStopAll(replicas, () => startBalancer(directory, port, socketsOf(replicas)));
  return {
    get replicas() {
      return replicas;
    },
    start,
    balance: (next) => {
      replicas = next;
      balancer.balance(socketsOf(next));
    },
    load: {
      port,
      host: mtlsHost,
      tls: { ca: serverCa.pem, cert: client.pem, key: client.privateKeyPem },
      body: { grant_type: 'client_credentials', client_id: 'billing' },
    },
    stop: async () => {
      await balancer.stop();
      await stopAll(replicas);
    },
  };
}

async function writeSigningKey(directory: string): Promise<string> {
  const file = join(directory, 'signing-key.pem');
  writeFileSync(file, await openssl(['genpkey', '-algorithm', 'ed25519']), { mode: 0o600 });
  return file;
}

function writeClients(directory: string): string {
  const client = {
    client_id: 'billing',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'billing.example',
    audience: 'https://api.example',
    scope: 'read',
  };
  const file = join(directory, 'clients.json');
  writeFileSync(file, JSON.stringify({ clients: [client] }));
  return file;
}

async function startBalancingNginx(directory: string, port: number, sockets: readonly string[]): Promise<Balancer> {
  const files = shippedConfiguration({
    replace: [
      ['server unix:/run/countersign/countersign.sock;', `include ${join(directory, 'servers.conf')};`],
      ...listenOnLoopback(port),
      ['/etc/nginx/countersign/', `${directory}/`],
      ['/var/log/nginx/', `${directory}/`],
    ],
  });
  const writeServers = (each: readonly string[]) =>
    writeFileSync(join(directory, 'servers.conf'), each.map((socket) => `server unix:${socket};\n`).join(''));
  writeServers(sockets);
  const nginx = await startNginx({ http: `include ${join(directory, 'countersign.conf')};`, prefix: directory, files });
  return {
    ...nginx,
    balance: (next) => {
      writeServers(next);
      nginx.kill('SIGHUP');
    },
  };
}

const STATIC_CLUSTER = /type: STATIC\n([\s\S]*) {4}load_assignment:\n[\s\S]*$/;

/** The cluster of the shipped configuration, with its endpoints in a file that Envoy watches. */
async function startBalancingEnvoy(directory: string, port: number, sockets: readonly string[]): Promise<Balancer> {
  const file = join(directory, 'endpoints.yaml');
  const configuration = shippedFile('deploy/terminators/envoy.yaml', [
    ['address: 0.0.0.0, port_value: 443', `address: 127.0.0.1, port_value: ${port}`],
    ['/etc/envoy/countersign/', `${directory}/`],
  ]);
  const dynamic = configuration.replace(
    STATIC_CLUSTER,
    (_, options: string) =>
      `type: EDS\n${options}    eds_cluster_config: { eds_config: { path_config_source: { path: ${file} } } }\n`,
  );
  if (dynamic === configuration) throw new Error('deploy/terminators/envoy.yaml has no static cluster at its end');
  // Envoy follows the renaming of a file, not its writing.
  const writeEndpoints = (each: readonly string[]) => {
    writeFileSync(`${file}.new`, JSON.stringify({ resources: [endpoints(each)] }));
    renameSync(`${file}.new`, file);
  };
  writeEndpoints(sockets);
  const node = 'node: { id: rolling-restart, cluster: test }\n';
  const envoy = await startEnvoy({ configuration: `${node}${dynamic}`, directory, ports: [port] });
  return { ...envoy, balance: writeEndpoints };
}

function endpoints(sockets: readonly string[]): object {
  return {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: 'countersign',
    endpoints: [{ lb_endpoints: sockets.map((path) => ({ endpoint: { address: { pipe: { path } } } })) }],
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JSONWebKeySet } from 'jose';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { httpsFetch } from '../support/https-fetch.ts';
import { startShippedNginx } from '../support/nginx.ts';
import { keyPrefix } from '../support/redis.ts';
import { orStopAll, startAll, stopAll } from '../support/start-all.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Replica, startReplica } from './replica.ts';
import type { ShortenedTimes } from './shortened-times.ts';
import type { TokenLoadOptions } from './token-load.ts';

export interface RotationOptions {
  readonly times: ShortenedTimes;
  readonly redisPort: number;
  /** The settings of the keys. */
  readonly env: Readonly<Record<string, string>>;
  /** For each replica, by how many milliseconds its clock is ahead. */
  readonly clockOffsets: readonly number[];
  /** The port at which each replica finds Redis. Default: that of Redis. */
  readonly redisPorts?: readonly number[];
}

/** Replicas as processes behind the real nginx with the shipped configuration, and a client. */
export interface RotationDeployment {
  /** Of nginx. */
  readonly port: number;
  readonly issuer: string;
  /** Of the keys in Redis. */
  readonly prefix: string;
  /** Has the certificates of nginx, and the sockets of the replicas. */
  readonly directory: string;
  /** The processes that run now. */
  readonly replicas: readonly Replica[];
  /** Starts a replica that has exited. */
  readonly restart: (index: number, env?: Readonly<Record<string, string>>) => Promise<void>;
  /** `unix:/path` of a replica, and of its edge. */
  readonly socketOf: (index: number, listener?: 'public' | 'edge') => string;
  /** The certificate of the client. */
  readonly client: MintedCertificate;
  /** What the client sends for a token, and where. */
  readonly load: Pick<TokenLoadOptions, 'port' | 'host' | 'tls' | 'body'>;
  /** From any replica, through nginx. */
  readonly fetchJwks: () => Promise<JSONWebKeySet>;
  /** Runs the command with the Redis of the replicas. Resolves to its output. */
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
  /** Writes the records of the client and of the resource. */
  readonly apply: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const clientId = 'billing';
export const audience = 'https://api.example';
export const resourceName = 'api';

const SOCKET_IN_SHIPPED_CONFIGURATION = 'server unix:/run/countersign/countersign.sock;';

/** Also creates the keyring, unless the settings name a directory. */
export async function startRotationDeployment(options: RotationOptions): Promise<RotationDeployment> {
  const { times, env, clockOffsets, redisPort, redisPorts = [] } = options;
  const directory = temporaryDirectory();
  const port = await freePort();
  const issuer = `https://${plainHost}:${port}`;
  const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
  const client = clientCa.issue({ dns: ['billing.example'] });
  const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
  serverCa.writeTo(directory, 'server-ca');
  for (const host of [plainHost, mtlsHost]) serverCa.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
  const prefix = keyPrefix();
  const settings = {
    COUNTERSIGN_ISSUER: issuer,
    COUNTERSIGN_MTLS_URL: `https://${mtlsHost}:${port}`,
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_CLIENT_CA_FILE: clientCa.writeTo(directory, 'client-ca').cert,
    COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
    COUNTERSIGN_REDIS_TIMEOUT: '2s',
    ...env,
  };
  const ofCommands = ['COUNTERSIGN_REDIS_URL', 'COUNTERSIGN_REDIS_KEY_PREFIX', 'COUNTERSIGN_CLIENT_CA_FILE'] as const;
  const commandEnv = { ...Object.fromEntries(ofCommands.map((name) => [name, settings[name]])), ...env };
  const run: RotationDeployment['run'] = async (args, more = {}) => {
    const { code, stdout, stderr } = await runCountersign(args, { env: { ...commandEnv, ...more } });
    if (code !== 0) throw new Error(`countersign ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  };
  const recordsFile = join(directory, 'records.json');
  writeFileSync(recordsFile, JSON.stringify(recordsOf(times.tokenLifetime)));
  const apply = async () => void (await run(['clients', 'apply', '-f', recordsFile]));
  await apply();
  if (env.COUNTERSIGN_SIGNING_KEYS_DIR === undefined) await run(['keys', 'create']);

  const socketOf: RotationDeployment['socketOf'] = (index, listener = 'public') =>
    `unix:${join(directory, `${listener}-${index}.sock`)}`;
  const startOne = (index: number, more: Readonly<Record<string, string>> = {}) => {
    const own = {
      COUNTERSIGN_LISTEN: socketOf(index),
      COUNTERSIGN_EDGE_LISTEN: socketOf(index, 'edge'),
      COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${redisPorts[index] ?? redisPort}`,
    };
    return startReplica({
      directory,
      name: `replica-${index}`,
      policy: times.policy,
      clockOffset: clockOffsets[index] ?? 0,
      env: { ...settings, ...own, ...more },
    });
  };
  const replicas = await startAll(clockOffsets.map((_, index) => startOne(index)));
  // nginx tries a replica that was killed again at once.
  const upstream = clockOffsets.map((_, index) => `server ${socketOf(index)} max_fails=0;`).join(' ');
  const replace = [[SOCKET_IN_SHIPPED_CONFIGURATION, upstream]] as const;
  const nginx = await orStopAll(replicas, () => startShippedNginx({ directory, port, socket: socketOf(0), replace }));
  const tls = { ca: serverCa.pem, cert: client.pem, key: client.privateKeyPem };
  const fetchAsVerifier = httpsFetch({ ca: serverCa.pem });
  return {
    port,
    issuer,
    prefix,
    directory,
    replicas,
    restart: async (index, more) => {
      replicas[index] = await startOne(index, more);
    },
    socketOf,
    client,
    load: { port, host: mtlsHost, tls, body: { grant_type: 'client_credentials', client_id: clientId } },
    fetchJwks: async () => {
      // A verifier whose fetch fails, because a replica was killed, keeps what it has and tries again.
      for (let attempts = 0; ; attempts += 1) {
        const response = await fetchAsVerifier(`${issuer}/jwks`).catch(() => undefined);
        if (response?.status === 200) return JSON.parse(await response.text());
        if (attempts === 100) throw new Error(`GET /jwks: ${response?.status ?? 'no response'}`);
        await delay(50);
      }
    },
    run,
    apply,
    stop: async () => {
      await nginx.stop();
      await stopAll(replicas);
    },
  };
}

function recordsOf(tokenLifetime: number): object {
  const client = {
    client_id: clientId,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'billing.example',
    audience,
    scope: 'read',
    access_token_lifetime: tokenLifetime,
  };
  const resource = { name: resourceName, resource: audience, scope: 'read', binding: 'caller', forward: 'original' };
  return { clients: [client], resources: [resource] };
}

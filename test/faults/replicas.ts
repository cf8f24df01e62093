import type { Cluster, Redis } from 'ioredis';
import { decodeJwt } from 'jose';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { sendRequest } from '../support/raw-http.ts';
import { keyPrefix } from '../support/redis.ts';
import { type TokenRequester, tokenRequester } from './token-load.ts';

/** Two replicas that share one Redis, with default settings. */
export interface Replicas {
  readonly servers: readonly AuthorizationServer[];
  readonly requesters: readonly TokenRequester[];
  readonly prefix: string;
  readonly known: readonly string[];
  /** Writes a client record as `countersign clients` does; by default an enabled one. */
  readonly write: (writer: Redis | Cluster, clientId: string, more?: object) => Promise<void>;
  /** Writes all records, and the marker of the registry. */
  readonly writeAll: (writer: Redis | Cluster) => Promise<void>;
  /** Waits until each replica tracks changes and has cached each client. */
  readonly warm: () => Promise<void>;
  /** Issues a token on each replica, since they have different keys. */
  readonly issue: () => Promise<readonly IssuedToken[]>;
  readonly stop: () => Promise<void>;
}

/** A token that its replica reports as active. */
export interface IssuedToken {
  /** Announces its revocation as `countersign tokens revoke` does. */
  readonly revoke: (writer: Redis | Cluster) => Promise<void>;
  /** Whether its replica reports that it is not active. */
  readonly isRevoked: () => Promise<boolean>;
}

const known = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** @param redisUrl with the user name and password of the server */
export async function startReplicas(redisUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Replicas> {
  const identity = selfSigned();
  const prefix = keyPrefix();
  const defaults = { COUNTERSIGN_REDIS_KEY_PREFIX: prefix, COUNTERSIGN_REDIS_TIMEOUT: '80ms' };
  const options = { redisUrl, env: { ...defaults, ...env } };
  const servers = [await startAuthorizationServer(options), await startAuthorizationServer(options)];
  const ask = servers.map(({ url }) => tokenRequester(url, identity));
  const write: Replicas['write'] = async (writer, clientId, more = {}) => {
    await writer.set(`${prefix}client:${clientId}`, JSON.stringify({ ...recordOf(clientId, identity), ...more }));
  };
  return {
    servers,
    requesters: ask,
    prefix,
    known,
    write,
    writeAll: async (writer) => {
      for (const clientId of [...known, 'victim']) await write(writer, clientId);
      await writer.set(`${prefix}registry`, '{"format":1}');
    },
    warm: () => warm(servers, ask),
    issue: () => Promise.all(servers.map((server) => issue(server, identity, prefix))),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function issue({ url }: AuthorizationServer, { pem }: MintedCertificate, prefix: string): Promise<IssuedToken> {
  const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(pem)}`];
  const client_id = known[0] ?? '';
  const issued = await sendRequest(url, { lines, body: { grant_type: 'client_credentials', client_id } });
  const token = String(issued.json().access_token);
  const { jti, exp } = decodeJwt(token);
  const introspect = async () =>
    (await sendRequest(url, { path: '/introspect', lines, body: { client_id, token } })).json().active;
  // 503 from a replica that was suspended for longer than the timeout of its lookups.
  await eventually(
    async () => (await introspect()) === true,
    () => 'a new token is not active',
    5_000,
  );
  return {
    revoke: async (writer) => {
      await writer.xadd(`${prefix}revocations`, '*', 'jti', String(jti), 'exp', String(exp));
    },
    isRevoked: async () => (await introspect()) === false,
  };
}

function recordOf(clientId: string, { thumbprint }: MintedCertificate): object {
  const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth' };
  return { client_id: clientId, ...method, certificates: [{ thumbprint }] };
}

async function warm(servers: readonly AuthorizationServer[], ask: readonly TokenRequester[]): Promise<void> {
  for (const { countersign } of servers) {
    const isTracking = () =>
      countersign.lines.findLast(({ event }) => event === 'invalidation_mode_changed')?.mode === 'tracking';
    await eventually(isTracking, () => `not tracking: ${JSON.stringify(countersign.lines)}`, 10_000);
  }
  for (const clientId of [...known, 'victim']) {
    for (const replica of ask) {
      await eventually(
        async () => (await replica(clientId)).status === 200,
        () => `${clientId} is not served`,
        10_000,
      );
    }
  }
}

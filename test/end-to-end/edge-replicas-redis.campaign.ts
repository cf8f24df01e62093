import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { alternativeNameIdentity, identityKey } from '../../src/clients/identities.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { type CrlServer, startCrlServer } from '../support/crl-server.ts';
import { createCrl } from '../support/crls.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ca = createTestCa({ subject: [['CN', 'Client CA']] });
const certificate = ca.issue({ dns: ['billing.example'] });
const other = ca.issue({ dns: ['other.example'] });
const crlOf = (minutesAgo: number, ...revoked: MintedCertificate[]) =>
  createCrl(ca, { revoked, thisUpdate: new Date(Date.now() - minutesAgo * 60_000) });

const records = {
  clients: ['billing', 'other'].map((name) => ({
    client_id: name,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: `${name}.example`,
    scope: 'read write',
    audience: 'https://api.example',
  })),
  resources: [
    {
      name: 'api',
      resource: 'https://api.example',
      scope: 'read',
      binding: 'caller',
      access_token_lifetime: 300,
      forward: 'original',
    },
  ],
};

interface Replica {
  readonly countersign: RunningCountersign;
  readonly edge: string;
}

/** How long a change may take. */
const MILLISECONDS = 1_000;

describeWith(['redis-server'], 'two replicas with an edge', () => {
  const directory = temporaryDirectory();
  const recordsFile = join(directory, 'records.json');
  const clientCa = ca.writeTo(directory, 'client-ca').cert;
  let server: RunningRedis;
  let redis: Redis;
  let crls: CrlServer;
  let token: string;
  const replicas: Replica[] = [];

  beforeAll(async () => {
    server = await startRedis({ program: programPath('redis-server'), directory });
    redis = new Redis(server.port);
    crls = await startCrlServer(crlOf(10));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      COUNTERSIGN_CLIENT_CA_FILE: clientCa,
      COUNTERSIGN_CLIENT_CRLS: crls.url,
      COUNTERSIGN_CRL_INTERVAL: '2s',
      COUNTERSIGN_REDIS_URL: server.url,
      COUNTERSIGN_REDIS_TIMEOUT: '2s',
    };
    await apply();
    const started = await Promise.all([1, 2].map(() => startCountersign({ env })));
    for (const countersign of started) {
      const { url } = await countersign.waitForEvent(({ event }) => event === 'edge_listening');
      replicas.push({ countersign, edge: String(url) });
    }
    token = await requestToken();
  });
  afterAll(async () => {
    redis?.disconnect();
    for (const { countersign } of replicas) await countersign.stop();
    await crls?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    await apply();
    await untilBoth([200, 200]);
  });

  async function apply(): Promise<void> {
    writeFileSync(recordsFile, JSON.stringify(records));
    await clients('apply', '-f', recordsFile);
  }

  async function clients(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await runCountersign(['clients', ...args], {
      env: { COUNTERSIGN_REDIS_URL: server.url, COUNTERSIGN_CLIENT_CA_FILE: clientCa },
    });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  }

  /** A replica that has just started on a busy machine may not have reached Redis yet, and then responds with 503. */
  async function requestToken(): Promise<string> {
    const [{ countersign }] = replicas as [Replica];
    const body = { grant_type: 'client_credentials', client_id: 'billing' };
    const request = () => sendRequest(countersign.url, { lines: exact(certificate), body });
    let response = await request();
    const isIssued = async () => {
      if (response.status !== 200) response = await request();
      return response.status === 200;
    };
    await eventually(isIssued, () => `no token: ${response.status} ${response.body}`);
    return String(response.json().access_token);
  }

  const check = ({ edge }: Replica, path: string, presented = certificate) => {
    const authorization = path.startsWith('/edge/verify/') ? [`Authorization: Bearer ${token}`] : [];
    return sendRequest(edge, { method: 'GET', path, lines: [...exact(presented), ...authorization] });
  };

  /** The status of a minted token and of a verified one. */
  const statusesOf = async (replica: Replica, name = 'api') =>
    (await Promise.all(['mint', 'verify'].map((kind) => check(replica, `/edge/${kind}/${name}`)))).map(
      ({ status }) => status,
    );

  async function untilBoth(expected: readonly number[], milliseconds?: number): Promise<void> {
    let statuses: number[][] = [];
    await eventually(
      async () => {
        statuses = await Promise.all(replicas.map((replica) => statusesOf(replica)));
        return statuses.every((each) => each.join() === expected.join());
      },
      () => `mint and verify respond with ${statuses.join(' and ')} instead of ${expected}`,
      milliseconds,
    );
  }

  const changeRecord = async (key: string, changes: object) => {
    const record = JSON.parse((await redis.get(`countersign:${key}`)) ?? '{}');
    await redis.set(`countersign:${key}`, JSON.stringify({ ...record, ...changes }));
  };

  test('deny a disabled client within a second, and serve it within another once it is enabled again', async () => {
    await clients('disable', 'billing');
    await untilBoth([401, 401], MILLISECONDS);
    await clients('enable', 'billing');
    await untilBoth([200, 200], MILLISECONDS);
  });

  test.each<[string, string, object, readonly number[]]>([
    ['a client that has lost its scope', 'client:billing', { scope: 'write' }, [403, 403]],
    ['a client that has lost its audience', 'client:billing', { audience: 'https://b.example' }, [403, 403]],
    [
      'a client that is registered by another name',
      'client:billing',
      { tls_client_auth_san_dns: 'b.example' },
      [401, 401],
    ],
    ['a client whose resource has another audience', 'resource:api', { resource: 'https://b.example' }, [403, 401]],
    ['a client whose resource requires more', 'resource:api', { scope: 'read admin' }, [403, 403]],
  ])('deny %s within a second', async (_, key, changes, expected) => {
    await changeRecord(key, changes);
    await untilBoth(expected, MILLISECONDS);
  });

  test('deny everything at a removed resource within a second', async () => {
    await redis.del('countersign:resource:api');
    await untilBoth([403, 403], MILLISECONDS);
  });

  test('mint no token for a certificate that is registered twice', async () => {
    const record = JSON.parse((await redis.get('countersign:client:other')) ?? '{}');
    const index = `countersign:identity:${identityKey(alternativeNameIdentity('dns', 'billing.example'))}`;
    expect(await redis.smembers(index)).toEqual(['billing']);
    await redis.set(
      'countersign:client:other',
      JSON.stringify({ ...record, tls_client_auth_san_dns: 'billing.example' }),
    );
    await redis.sadd(index, 'other');
    // The token states which of them it is.
    await untilBoth([403, 200], MILLISECONDS);
    const denied = replicas.map(({ countersign }) =>
      countersign.lines.findLast(({ event }) => event === 'edge_check_denied'),
    );
    for (const event of denied) {
      expect(event?.error).toBe('access_denied');
      expect(event?.reason).toMatch(/"billing".*"other"|"other".*"billing"/);
    }
    await redis.srem(index, 'other');
  });

  test('serve cached callers, and no others, while all records are lost', async () => {
    await redis.flushall();
    await Promise.all(
      replicas.map(({ countersign }) => countersign.waitForEvent(({ event }) => event === 'registry_data_lost')),
    );
    for (const replica of replicas) {
      expect(await statusesOf(replica)).toEqual([200, 200]);
      expect((await check(replica, '/edge/mint/api', other)).status).toBe(503);
      expect(await statusesOf(replica, 'unknown')).toEqual([503, 503]);
    }
  });

  test('deny a revoked certificate from the first check after the CRL was loaded', async () => {
    const counts = replicas.map(({ countersign }) => loaded(countersign));
    crls.content = crlOf(5, certificate);
    await Promise.all(
      replicas.map(async (replica, index) => {
        const isLoaded = () => loaded(replica.countersign) > (counts[index] ?? 0);
        await eventually(isLoaded, () => 'the CRL was not loaded');
        expect(await statusesOf(replica)).toEqual([401, 401]);
      }),
    );
    crls.content = crlOf(1);
    await untilBoth([200, 200]);
  });
});

const loaded = ({ lines }: RunningCountersign) => lines.filter(({ event }) => event === 'crl_loaded').length;

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { type LogLine, type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { createCrl } from '../support/crls.ts';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { edgeRecords, withRecord } from '../support/edge-records.ts';
import { eventually } from '../support/eventually.ts';
import { exact } from '../support/forged-headers.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { connectRedis } from '../support/redis.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ca = createTestCa({ subject: [['CN', 'Client CA']] });
const directory = temporaryDirectory();
const crlFile = join(directory, 'client-ca.crl');
const MINUTE = 60_000;

/** What an operator changes, and the status of a check afterwards. */
const changes: readonly (readonly [title: string, id: string, fields: object, mint: number, verify: number])[] = [
  ['disabling the client', 'alpha', { enabled: false }, 401, 401],
  ['another name of the client', 'alpha', { tls_client_auth_subject_dn: 'CN=other' }, 401, 401],
  ['an audience without the resource', 'alpha', { audience: ['https://stock.example'] }, 403, 403],
  ['a scope without that of the resource', 'alpha', { scope: 'stock' }, 403, 403],
  [
    'a second client with the certificate',
    'beta',
    { tls_client_auth_subject_dn: undefined, tls_client_auth_san_dns: 'alpha.example' },
    403,
    200,
  ],
];
const resourceChanges: typeof changes = [
  ['another scope of the resource', 'scope', { scope: 'other' }, 403, 403],
  ['another audience of the resource', 'resource', { resource: 'https://other.example' }, 403, 401],
];

describeWith(['nginx', 'redis-server'], 'two replicas of the edge, within a second of', () => {
  let redis: RunningRedis;
  let deployment: EdgeDeployment;
  let second: RunningCountersign;
  let edges: readonly string[];
  let token: string;

  beforeAll(async () => {
    writeCrl([]);
    redis = await startRedis({ program: programPath('redis-server'), directory });
    const env = { COUNTERSIGN_CLIENT_CRLS: crlFile, COUNTERSIGN_REDIS_TIMEOUT: '2s' };
    deployment = await startEdgeDeployment({ proxy: 'nginx', redisUrl: redis.url, ca, env });
    const own = { COUNTERSIGN_LISTEN: '127.0.0.1:0', COUNTERSIGN_EDGE_LISTEN: `unix:${join(directory, 'edge.sock')}` };
    second = await startCountersign({ env: { ...deployment.environment, ...own } });
    edges = [deployment.edge, own.COUNTERSIGN_EDGE_LISTEN];
    token = await deployment.requestToken('alpha', 'https://reports.example');
  });
  afterAll(async () => {
    await second?.stop();
    await deployment?.stop();
    await redis?.stop();
  });

  async function check(edge: string, path: string, client = 'alpha') {
    const authorization = path.startsWith('/edge/verify/') ? [`Authorization: Bearer ${token}`] : [];
    const lines = [...exact(deployment.certificateOf(client)), ...authorization];
    return sendRequest(edge, { method: 'GET', path, lines });
  }

  /** Of a mint and of a verification, on each replica. */
  async function statuses(): Promise<number[]> {
    const checks = edges.flatMap((edge) => [check(edge, '/edge/mint/orders'), check(edge, '/edge/verify/reports')]);
    return (await Promise.all(checks)).map(({ status }) => status);
  }

  async function expectWithinASecond(mint: number, verify: number) {
    const expected = [mint, verify, mint, verify];
    let last: number[] = [];
    const isInEffect = async () => {
      last = await statuses();
      return last.join() === expected.join();
    };
    await eventually(isInEffect, () => `${last} instead of ${expected}`, 1_000);
  }

  /** Both replicas use a minted token again, and a verified one. */
  async function expectCached() {
    await expectWithinASecond(200, 200);
    for (const edge of edges) {
      const [one, two] = [await check(edge, '/edge/mint/orders'), await check(edge, '/edge/mint/orders')];
      expect(two.headers.get('authorization')).toBe(one.headers.get('authorization'));
    }
  }

  test.each(changes)('%s, deny cached tokens', async (_title, id, fields, mint, verify) => {
    await expectCached();
    await deployment.apply(withRecord(edgeRecords, id, fields));
    await expectWithinASecond(mint, verify);
    await deployment.apply(edgeRecords);
    await expectWithinASecond(200, 200);
  });

  test.each(resourceChanges)('%s, deny cached tokens', async (_title, _field, fields, mint, verify) => {
    await expectCached();
    await deployment.apply(withRecord(withRecord(edgeRecords, 'orders', fields), 'reports', fields));
    await expectWithinASecond(mint, verify);
    await deployment.apply(edgeRecords);
    await expectWithinASecond(200, 200);
  });

  test('the loss of all records, admit cached clients only', async () => {
    await expectCached();
    const { client, close } = connectRedis(redis.url);
    await client.flushall();
    await close();
    const unknown = async () => Promise.all(edges.map((edge) => check(edge, '/edge/mint/orders', 'beta')));
    const areUnavailable = async () => (await unknown()).every(({ status }) => status === 503);
    await eventually(areUnavailable, () => 'unknown clients are not denied with 503');
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    await deployment.apply(edgeRecords);
    const areAllowed = async () => (await unknown()).every(({ status }) => status === 200);
    await eventually(areAllowed, () => 'unknown clients are still denied');
    await expectWithinASecond(200, 200);
  });

  test('a CRL with the certificate, deny cached tokens', async () => {
    await expectCached();
    writeCrl([deployment.certificateOf('alpha')]);
    for (const replica of [deployment.countersign, second]) {
      await replica.waitForEvent(({ event, revoked }) => event === 'crl_loaded' && revoked === 1, 30_000);
    }
    await expectWithinASecond(401, 401);
  });
});

/** The endpoint in the shipped configuration, without its comment lines. */
const endpoint = (path: string) => `
        - endpoint:
            address:
              pipe: { path: ${path} }`;
const WORKERS = 8;
const CHECKS = 250;
/** Each replica logs its first token for a client and a resource. */
const isMinted = ({ event }: LogLine) => event === 'edge_token_minted';

interface CheckService {
  readonly server_uri: { readonly timeout: string };
  readonly retry_policy?: {
    readonly num_retries: number;
    readonly retry_back_off: { readonly base_interval: string; readonly max_interval: string };
  };
}

test('each check of Envoy is retried, and has time for all of its retries', () => {
  const services = new Set<CheckService>();
  parse(readFileSync(join(repositoryRoot, 'deploy/edge/envoy.yaml'), 'utf8'), (key, value) => {
    // Safe: what is missing fails below.
    if (key === 'http_service') services.add(value as CheckService);
    return value;
  });
  expect(services.size).toBeGreaterThan(3);
  for (const { server_uri, retry_policy } of services) {
    const { num_retries = 0, retry_back_off = { base_interval: '', max_interval: '' } } = retry_policy ?? {};
    expect(num_retries).toBeGreaterThan(0);
    // Envoy doubles the interval, and chooses a random part of it.
    const longest = Number.parseFloat(retry_back_off.base_interval) * (2 ** num_retries - 1);
    expect(longest).toBeLessThan(Number.parseFloat(server_uri.timeout) / 2);
    // A hung replica leaves time for another one.
    expect(2 * Number.parseFloat(retry_back_off.max_interval)).toBeLessThan(Number.parseFloat(server_uri.timeout));
  }
});

describeWith(['envoy'], 'two replicas of the edge behind Envoy', () => {
  const socket = join(directory, 'second-behind-envoy.sock');
  let deployment: EdgeDeployment;
  let second: RunningCountersign;
  const statuses = new Map<number, number>();
  const checks = () => [...statuses.values()].reduce((sum, count) => sum + count, 0);
  let isStopping = false;
  let workers: readonly Promise<void>[];

  beforeAll(async () => {
    const first = endpoint('/run/countersign/edge.sock');
    deployment = await startEdgeDeployment({
      proxy: 'envoy',
      // Longer than a busy machine needs.
      replace: [
        [first, `${first}${endpoint(socket)}`],
        ['timeout: 1s }', 'timeout: 30s }'],
      ],
    });
    second = await startSecond();
    workers = Array.from({ length: WORKERS }, sendChecks);
  });
  afterAll(async () => {
    isStopping = true;
    await deployment?.stop();
    await second?.stop();
  });

  function startSecond(): Promise<RunningCountersign> {
    const own = { COUNTERSIGN_LISTEN: '127.0.0.1:0', COUNTERSIGN_EDGE_LISTEN: `unix:${socket}` };
    return startCountersign({ env: { ...deployment.environment, ...own } });
  }

  async function sendChecks(): Promise<void> {
    while (!isStopping) {
      const { status } = await deployment.send({ path: '/orders/1' }, deployment.certificateOf('alpha'));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }

  async function expectFurtherChecks() {
    const before = checks();
    await eventually(
      () => checks() > before + CHECKS,
      () => `${checks() - before} checks`,
      60_000,
    );
  }

  test('deny no request while one of them hangs, is killed and comes back', async () => {
    await expectFurtherChecks();
    for (const replica of [deployment.countersign, second]) await replica.waitForEvent(isMinted);
    second.kill('SIGSTOP');
    await expectFurtherChecks();
    second.kill('SIGCONT');
    await expectFurtherChecks();
    // Suspended first, so that checks are in flight.
    second.kill('SIGSTOP');
    await delay(200);
    second.kill('SIGKILL');
    await second.exited;
    await expectFurtherChecks();
    second = await startSecond();
    await second.waitForEvent(isMinted, 60_000);
    isStopping = true;
    await Promise.all(workers);
    expect(Object.fromEntries(statuses)).toEqual({ 200: checks() });
  }, 240_000);
});

/** Renamed, so that the server never reads half a file. */
function writeCrl(revoked: readonly MintedCertificate[]): void {
  writeFileSync(`${crlFile}.new`, createCrl(ca, { revoked, thisUpdate: new Date(Date.now() - MINUTE) }));
  renameSync(`${crlFile}.new`, crlFile);
}

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa, toPem } from '../support/certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { createCrl } from '../support/crls.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { registeredMetrics } from '../support/registered-metrics.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { rulesFile, shippedExpressions } from '../support/shipped-expressions.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describeWith(['promtool'], 'the shipped alerting rules', () => {
  const promtool = (...args: string[]) => runProgram(programPath('promtool'), args);

  test('are accepted by promtool', async () => {
    const { code, stdout, stderr } = await promtool('check', 'rules', rulesFile);
    expect([code, stdout.toString(), stderr]).toEqual([0, expect.stringMatching(/SUCCESS: \d+ rules found/), '']);
  });

  test('and the queries of the dashboard are PromQL', async () => {
    const queries = shippedExpressions().map(([owner, expression], index) => ({
      record: `query:${index}`,
      // As Grafana replaces them.
      expr: expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:namespace|job|instance)\b/g, '.*'),
      labels: { owner },
    }));
    const file = join(temporaryDirectory(), 'queries.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: queries }] }));
    const { code, stdout, stderr } = await promtool('check', 'rules', file);
    expect([code, stdout.toString(), stderr]).toEqual([
      0,
      expect.stringContaining(`${queries.length} rules found`),
      '',
    ]);
    expect(queries.filter(({ expr }) => expr.includes('$'))).toEqual([]);
  });

  test('fire for what they describe, and not otherwise', async () => {
    const tests = join(repositoryRoot, 'test/observability/prometheus-rules.yaml');
    const { code, stdout, stderr } = await promtool('test', 'rules', tests);
    expect([code, stdout.toString() + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

const ca = createTestCa({ subject: [['CN', 'Client CA']] });
const expiry = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 5 * 86_400_000);
const certificate = ca.issue({ dns: ['billing.example'], notAfter: expiry });
const forwarded = [`X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`, 'X-SSL-Client-Verify: SUCCESS'];
const client = {
  client_id: 'billing',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'billing.example',
  scope: 'read',
  audience: 'https://api.example',
};
const resource = { name: 'api', resource: 'https://api.example', scope: 'read', binding: 'caller' };
const grant = { grant_type: 'client_credentials' };

describeWith(['redis-server'], 'the metrics of a server that uses all that can be configured', () => {
  const directory = temporaryDirectory();
  const prefix = keyPrefix();
  const caFile = join(directory, 'ca.pem');
  const crlFile = join(directory, 'ca.crl');
  let redis: Redis;
  let server: RunningCountersign;
  let edge: string;
  beforeAll(async () => {
    writeFileSync(caFile, ca.pem);
    writeFileSync(crlFile, toPem(createCrl(ca), 'X509 CRL'));
    const env = {
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
      COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    };
    redis = new Redis(redisUrl());
    await redis.set(`${prefix}client:billing`, JSON.stringify(client));
    await redis.set(`${prefix}resource:api`, JSON.stringify(resource));
    expect(await runCountersign(['keys', 'create'], { env })).toMatchObject({ code: 0 });
    server = await startCountersign({
      env: {
        ...env,
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_CLIENT_CA_FILE: caFile,
        COUNTERSIGN_CLIENT_CRLS: crlFile,
        COUNTERSIGN_REDIS_TIMEOUT: '2s',
      },
    });
    edge = String((await server.waitForEvent(({ event }) => event === 'edge_listening')).url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  const scrape = async () => (await server.fetchOperations('/metrics')).body;
  const sampleOf = (text: string, series: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const becomes = (series: string, expected: number) => {
    let value: number | undefined;
    return eventually(
      async () => {
        value = sampleOf(await scrape(), series);
        return value === expected;
      },
      () => `${series} is ${value} instead of ${expected}`,
    );
  };

  test('are those that the documentation lists', async () => {
    const types = [...(await scrape()).matchAll(/^# TYPE (countersign_\w+) (\w+)$/gm)];
    const served = types.map(([, name, type]) => `${name} ${type}`).sort();
    expect(served).toEqual(
      registeredMetrics()
        .map(({ name, type }) => `${name} ${type}`)
        .sort(),
    );
  });

  test('include every one that the shipped rules and the dashboard use', async () => {
    const served = await scrape();
    const used = shippedExpressions().flatMap(([, expression]) =>
      [...expression.matchAll(/\b(?:countersign|nodejs|process)_\w+/g)].map(([name]) => name),
    );
    const missing = new Set(used.filter((name) => !new RegExp(`^(?:# TYPE )?${name}[ {]`, 'm').test(served)));
    expect([...missing]).toEqual([]);
  });

  test('contain what happened to requests, and the expiry of the certificate of the client', async () => {
    const earliest = 'countersign_client_certificate_earliest_not_after_timestamp_seconds';
    expect(sampleOf(await scrape(), earliest)).toBeUndefined();
    const issued = await sendRequest(server.url, { lines: forwarded, body: { ...grant, client_id: 'billing' } });
    expect(issued.status).toBe(200);
    await sendRequest(server.url, { lines: forwarded, body: { ...grant, client_id: 'unknown' } });
    await sendRequest(server.url, { lines: ['Host: a', 'Host: b'] });
    await sendRequest(edge, { method: 'GET', path: '/edge/verify/none', lines: forwarded });
    const text = await scrape();
    const counted = text.split('\n').filter((line) => /^countersign_requests_total.* [1-9]\d*$/.test(line));
    expect(counted.sort()).toEqual([
      'countersign_requests_total{endpoint="edge_verify",outcome="rejected",code="resource_unknown"} 1',
      'countersign_requests_total{endpoint="none",outcome="rejected",code="host_invalid"} 1',
      'countersign_requests_total{endpoint="token",outcome="issued",code=""} 1',
      'countersign_requests_total{endpoint="token",outcome="rejected",code="client_unknown"} 1',
    ]);
    expect(sampleOf(text, earliest)).toBe(expiry.getTime() / 1_000);
    expect(sampleOf(text, 'countersign_request_duration_seconds_count{endpoint="token",outcome="issued"}')).toBe(1);
    expect(sampleOf(text, 'countersign_ready')).toBe(1);
    const revision = (await runProgram('git', ['rev-parse', 'HEAD'], { cwd: repositoryRoot })).stdout.toString().trim();
    expect(text).toContain(`,revision="${revision}",node_version="${process.versions.node}"} 1`);
  });

  test('count requests in flight while Redis is asked, and none once they end', async () => {
    const lookUp = () => {
      const body = { ...grant, client_id: randomBytes(8).toString('hex') };
      return sendRequest(server.url, { lines: forwarded, body });
    };
    let most = 0;
    await eventually(
      async () => {
        const responses = Promise.all(Array.from({ length: 50 }, lookUp));
        most = Math.max(most, sampleOf(await scrape(), 'countersign_requests_in_flight') ?? 0);
        await responses;
        return most > 0;
      },
      () => 'no request was counted as in flight',
    );
    expect(most).toBeLessThanOrEqual(50);
    await becomes('countersign_requests_in_flight', 0);
  });

  test('count open connections, and none once they end', async () => {
    const agent = new Agent({ keepAlive: true });
    const { hostname, port } = new URL(server.url);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 10 };
    const pending = request({ agent, hostname, port, path: '/token', method: 'POST', headers });
    pending.on('error', () => {});
    pending.write('a');
    await becomes('countersign_connections{listener="public"}', 1);
    pending.destroy();
    agent.destroy();
    await becomes('countersign_connections{listener="public"}', 0);
  });

  test('have no further series after 10,000 random clients, resources and paths', async () => {
    await randomRequests(server.url, edge, 100);
    const before = seriesOf(await scrape());
    await randomRequests(server.url, edge, 10_000);
    const text = await scrape();
    expect(seriesOf(text).filter((series) => !before.includes(series))).toEqual([]);
    expect(text).not.toContain(RANDOM_PREFIX);
    expect(before.length).toBeLessThan(600);
  }, 120_000);

  test('report a file whose reload fails, until it is corrected', async () => {
    writeFileSync(caFile, 'not a certificate');
    await becomes('countersign_watched_file_in_use{file="client_ca"}', 0);
    await becomes('countersign_watched_file_reload_failures_total{file="client_ca"}', 1);
    const configOf = (text: string) => /config_info\{part="client_ca",hash="(\w+)"\} 1/.exec(text)?.[1];
    const before = configOf(await scrape());
    writeFileSync(caFile, ca.pem + createTestCa({ subject: [['CN', 'Another CA']] }).pem);
    await becomes('countersign_watched_file_in_use{file="client_ca"}', 1);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
    expect(configOf(await scrape())).not.toBe(before);
  });
});

/** A part of all that is random, which no metric may contain. */
const RANDOM_PREFIX = 'random-';

/** Each series, without its value. The library measures these on its own. */
function seriesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).filter((series) => !series.startsWith('nodejs_'));
}

/** Sends requests of clients that do not exist: to each endpoint in turn, and to paths and resources that do not exist. */
async function randomRequests(url: string, edge: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const random = () => RANDOM_PREFIX + randomBytes(8).toString('hex');
  const requestOf = (index: number): [string, string, string | undefined] => {
    const form = `grant_type=${index % 7 === 0 ? random() : 'client_credentials'}&client_id=${random()}&token=${random()}`;
    if (index % 5 === 3) return [edge, `/edge/mint/${random()}`, undefined];
    if (index % 5 === 4) return [edge, `/${random()}`, undefined];
    return [url, ['/token', '/introspect', `/${random()}`][index % 5] ?? '/token', form];
  };
  const send = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const [target, path, form] = requestOf(index);
      const { hostname, port } = new URL(target);
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const headers = { 'x-ssl-client-cert': random(), 'x-request-id': random(), ...(form !== undefined && type) };
      const method = form === undefined ? 'GET' : 'POST';
      request({ agent, hostname, port, path, method, headers }, (response) => {
        response.resume().once('end', resolve).once('error', reject);
      })
        .once('error', reject)
        .end(form);
    });
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let index = lane; index < count; index += 8) await send(index);
  });
  await Promise.all(lanes);
  agent.destroy();
}

import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { edgeAclRules, serverAclRule } from '../support/server-acl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ca = createTestCa({ subject: [['CN', 'Client CA']] });
const certificate = ca.issue({ dns: ['billing.example'] });
const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`, 'X-SSL-Client-Verify: SUCCESS'];
const client = {
  client_id: 'billing',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'billing.example',
  scope: 'read',
  audience: 'https://api.example',
};
const resource = { name: 'api', resource: 'https://api.example', scope: 'read', binding: 'caller' };

describeWith(['redis-server'], 'a server with an edge, whose ACL in Redis is that of a server without one', () => {
  const directory = temporaryDirectory();
  let server: RunningRedis;
  let redis: Redis;
  let countersign: RunningCountersign;
  let edge: string;
  beforeAll(async () => {
    const aclRules = [serverAclRule('countersign:', 'x')];
    server = await startRedis({ program: programPath('redis-server'), directory, aclRules });
    redis = new Redis(server.port);
    // As with redis-cli: without an index entry.
    await redis.set('countersign:client:billing', JSON.stringify(client));
    await redis.set('countersign:resource:api', JSON.stringify(resource));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    countersign = await startCountersign({
      env: {
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_SIGNING_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
        COUNTERSIGN_CLIENT_CA_FILE: ca.writeTo(directory, 'ca').cert,
        COUNTERSIGN_REDIS_URL: server.url.replace('//', '//server:x@'),
        COUNTERSIGN_REDIS_TIMEOUT: '2s',
      },
    });
    edge = String((await countersign.waitForEvent(({ event }) => event === 'edge_listening')).url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await countersign?.stop();
    await server?.stop();
  });

  const mint = () => sendRequest(edge, { method: 'GET', path: '/edge/mint/api', lines });
  const untilMintResponds = (status: number) =>
    eventually(
      async () => (await mint()).status === status,
      () => `mint does not respond with ${status}`,
    );

  test('logs the rules that it needs, and serves the token endpoint', async () => {
    const denials = () => countersign.lines.filter(({ event }) => event === 'edge_acl_denied');
    await eventually(
      () => denials().length === 2,
      () => 'the denials are not logged',
    );
    expect(denials().map(({ rule }) => rule)).toEqual([
      '%R~countersign:identity:* +smembers +scard',
      '%R~countersign:resource:*',
    ]);
    const response = await mint();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    const body = { grant_type: 'client_credentials', client_id: 'billing' };
    expect((await sendRequest(countersign.url, { lines, body })).status).toBe(200);
    expect((await countersign.fetchOperations('/readyz')).status).toBe(200);
  });

  test('finds a client by its certificate once the ACL permits it, and an export was applied', async () => {
    await redis.call('ACL', 'SETUSER', 'server', ...edgeAclRules('countersign:').split(' '));
    await untilMintResponds(401);
    await countersign.waitForEvent(({ event }) => event === 'edge_acl_permitted');
    const env = { COUNTERSIGN_REDIS_URL: server.url, COUNTERSIGN_CLIENT_CA_FILE: join(directory, 'ca.pem') };
    const exported = await runCountersign(['clients', 'export'], { env });
    const file = join(directory, 'exported.yaml');
    writeFileSync(file, exported.stdout);
    const applied = await runCountersign(['clients', 'apply', '-f', file], { env });
    expect([exported.code, applied.code, applied.stderr]).toEqual([0, 0, expect.any(String)]);
    await untilMintResponds(200);
  });

  test('rejects a revoked token at the edge and at /introspect, with that ACL', async () => {
    const body = { grant_type: 'client_credentials', client_id: 'billing' };
    const issued = await sendRequest(countersign.url, { lines, body });
    const token = String(issued.json().access_token);
    const bearer = [...lines, `Authorization: Bearer ${token}`];
    const verify = () => sendRequest(edge, { method: 'GET', path: '/edge/verify/api', lines: bearer });
    const post = (path: string) => sendRequest(countersign.url, { lines, path, body: { client_id: 'billing', token } });
    expect([(await verify()).status, (await post('/introspect')).json().active]).toEqual([200, true]);
    expect((await post('/revoke')).status).toBe(200);
    expect((await verify()).headers.get('x-countersign-error')).toBe('invalid_token');
    expect((await post('/introspect')).json()).toEqual({ active: false });
    let metrics = '';
    const isFresh = async () => {
      metrics = (await countersign.fetchOperations('/metrics')).body;
      return /^countersign_token_revocations_age_seconds 0\.\d+$/m.test(metrics);
    };
    await eventually(isFresh, () => metrics);
    expect(metrics).toMatch(/^countersign_token_revocations 1$/m);
    expect(metrics).toMatch(/^countersign_token_revocation_lookups_total\{result="failed"\} 0$/m);
    expect(countersign.lines.filter(({ event }) => String(event).startsWith('revocation'))).toEqual([]);
  });

  test('rejects every token of a client within a second of countersign tokens revoke', async () => {
    const first = (await mint()).headers.get('authorization');
    const env = { COUNTERSIGN_REDIS_URL: server.url };
    const { code, stderr } = await runCountersign(['tokens', 'revoke', '--client', 'billing'], { env });
    expect([code, stderr]).toEqual([0, '']);
    await eventually(
      async () => (await mint()).headers.get('authorization') !== first,
      () => 'the revoked token is minted again',
    );
  });
});

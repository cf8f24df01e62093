import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuthorizationServer, type Decision, startAuthorizationServer } from '../support/authorization-server.ts';
import { selfSigned } from '../support/certificates.ts';
import type { LogLine } from '../support/countersign.ts';
import { type Deployment, formOf, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { expectWithin } from '../support/expect-within.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { redisUrl } from '../support/redis.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { startTlsRedis, type TlsRedis } from '../support/redis-tls.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const identity = selfSigned();
const record = {
  client_id: 'client',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: identity.thumbprint }],
};
const lines = ['Content-Type: application/x-www-form-urlencoded'];
const startRedisAt = (port: number) =>
  startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), port });

function expectUnavailable({ response, event }: Decision, clientId = 'unknown') {
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[1-9]\d*$/)]);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.json()).toEqual({
    error: 'temporarily_unavailable',
    error_description: 'The server cannot answer at the moment; try again.',
  });
  expect(event).toMatchObject({ event: 'token_rejected', client_id: clientId, error: 'temporarily_unavailable' });
  expect(event.reason).toMatch(new RegExp(`^failed to load \\S+client:${clientId} from Redis: `));
}

/** That it states this problem. On a busy machine, the first attempt may time out before its problem is known. */
const unreachable = ({ countersign }: AuthorizationServer, text: string): Promise<LogLine> =>
  countersign.waitForEvent(({ event, reason }) => event === 'redis_unreachable' && String(reason).includes(text));

describeWith(['nginx', 'redis-server'], 'during an outage of Redis', () => {
  let redis: RunningRedis;
  let deployment: Deployment;

  beforeAll(async () => {
    redis = await startRedisAt(await freePort());
    deployment = await startDeployment({ redisUrl: redis.url, env: { COUNTERSIGN_REDIS_TIMEOUT: '80ms' } });
    await deployment.register(record);
    await untilServed();
  });
  afterAll(async () => {
    redis.kill('SIGCONT');
    await deployment?.stop();
    await redis?.stop();
  });

  const untilServed = () =>
    eventually(
      async () => (await deployment.requestToken('client', { identity })).response.status === 200,
      () => 'the client is not served',
      5000,
    );

  /** Several times, because neither the first nor later requests may wait. */
  async function expectCachedServedAndOthersUnavailable() {
    for (let times = 0; times < 3; times++) {
      expect((await deployment.requestToken('client', { identity })).event.event).toBe('token_issued');
      await expectWithin(1_000, async () => {
        let milliseconds = Number.POSITIVE_INFINITY;
        const decision = await deployment.decide(async () => {
          const start = performance.now();
          const response = await deployment.send({ lines, body: formOf('unknown') }, { identity });
          milliseconds = performance.now() - start;
          return response;
        });
        expectUnavailable(decision);
        return milliseconds;
      });
    }
  }

  /** Until the recovery, no response states that the client is unknown. */
  async function expectRecovery() {
    const decisions: Decision[] = [];
    const isBack = async () => {
      decisions.push(await deployment.requestToken('unknown', { identity }));
      return decisions.at(-1)?.response.status === 400;
    };
    await eventually(isBack, () => `still: ${decisions.at(-1)?.event.reason}`, 5000);
    for (const decision of decisions.slice(0, -1)) expectUnavailable(decision);
    expect(decisions.at(-1)?.event.reason).toContain('no client is registered');
  }

  test('that stops responding, cached clients are served, others get 503 at once, and it recovers', async () => {
    redis.kill('SIGSTOP');
    await expectCachedServedAndOthersUnavailable();
    redis.kill('SIGCONT');
    await expectRecovery();
    await untilServed();
  });

  test('that stops, cached clients are served, others get 503 also without a certificate, and it recovers', async () => {
    await redis.stop();
    await expectCachedServedAndOthersUnavailable();
    expectUnavailable(await deployment.requestToken('unknown'));
    const isRefused = ({ event, reason }: LogLine) =>
      event === 'redis_unreachable' && String(reason).includes('ECONNREFUSED');
    expect((await deployment.countersign.waitForEvent(isRefused)).level).toBe('error');
    redis = await startRedisAt(redis.port);
    await expectRecovery();
    await deployment.register(record);
    await untilServed();
  });

  test('metadata and keys are served', async () => {
    await redis.stop();
    const fetch = deployment.fetchAs();
    for (const path of ['/.well-known/oauth-authorization-server', '/jwks']) {
      expect((await fetch(deployment.issuer + path)).status).toBe(200);
    }
    redis = await startRedisAt(redis.port);
  });
});

describeWith(['redis-server'], 'when Redis starts after the server', () => {
  let server: AuthorizationServer;
  let redis: RunningRedis | undefined;
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });

  test('the server starts, responds with 503, and serves clients once Redis is reachable', async () => {
    const port = await freePort();
    server = await startAuthorizationServer({ redisUrl: `redis://127.0.0.1:${port}` });
    const forwarded = [...lines, `X-SSL-Client-Cert: ${encodeURIComponent(identity.pem)}`];
    const request = () => server.decide(() => sendRequest(server.url, { lines: forwarded, body: formOf('client') }));
    expectUnavailable(await request(), 'client');
    expect(await server.countersign.fetchOperations('/livez')).toMatchObject({ status: 200 });
    expect(await server.countersign.fetchOperations('/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('ECONNREFUSED'),
    });
    redis = await startRedisAt(port);
    await eventually(
      async () => (await request()).response.status === 400,
      () => 'the server does not connect to Redis',
      5000,
    );
    expect(await server.countersign.fetchOperations('/readyz')).toMatchObject({ status: 200 });
    await server.register(record);
    expect((await request()).event).toMatchObject({ event: 'token_issued', client_id: 'client' });
  });
});

describeWith(['redis-server'], 'a Redis with a password', () => {
  let redis: RunningRedis;
  beforeAll(async () => {
    const options = { program: programPath('redis-server'), directory: temporaryDirectory() };
    redis = await startRedis({ ...options, args: ['--requirepass', 'right'] });
  });
  afterAll(() => redis?.stop());

  test.each([
    ['a wrong password', ':wrong@', /WRONGPASS/],
    ['no password', '', /NOAUTH/],
  ])('is logged with an authentication error for %s', async (_, credentials, code) => {
    const redisUrl = redis.url.replace('redis://', `redis://${credentials}`);
    const server = await startAuthorizationServer({ redisUrl });
    const line = await unreachable(server, 'authentication failed: check the user name and password in');
    await server.stop();
    expect(line.reason).toMatch(/^authentication failed: check the user name and password in COUNTERSIGN_REDIS_URL \(/);
    expect(line.reason).toMatch(code);
    expect(JSON.stringify(line)).not.toContain('wrong@');
  });
});

describeWith(['redis-server'], 'Redis over TLS with client certificates', () => {
  const directory = temporaryDirectory();
  let redis: TlsRedis;
  beforeAll(async () => {
    redis = await startTlsRedis({ program: programPath('redis-server'), directory, clientCertificates: true });
  });
  afterAll(() => redis?.stop());

  const validSettings = () => ({
    COUNTERSIGN_REDIS_CA_FILE: redis.caFile,
    COUNTERSIGN_REDIS_CERTIFICATE_FILE: redis.clientFiles.cert,
    COUNTERSIGN_REDIS_CERTIFICATE_KEY_FILE: redis.clientFiles.key,
  });

  const start = (host: string, env: Readonly<Record<string, string>>) =>
    startAuthorizationServer({ redisUrl: `rediss://${host}:${redis.port}`, env });

  async function problemOf(env: Readonly<Record<string, string>>, text: string): Promise<LogLine> {
    const server = await start('127.0.0.1', env);
    const line = await unreachable(server, text);
    await server.stop();
    return line;
  }

  test.each(['127.0.0.1', 'localhost'])('is connected at %s', async (host) => {
    const server = await start(host, validSettings());
    await server.countersign.waitForEvent(({ event }) => event === 'redis_connected');
    await server.stop();
  });

  test('is logged as untrusted if its CA is not configured', async () => {
    const { COUNTERSIGN_REDIS_CA_FILE: _, ...withoutCa } = validSettings();
    const line = await problemOf(withoutCa, 'is not trusted');
    expect(line).toMatchObject({ event: 'redis_unreachable', level: 'error' });
    expect(line.reason).toMatch(/^the server certificate is not trusted: check COUNTERSIGN_REDIS_CA_FILE \(/);
  });

  test('is logged as requiring a client certificate if none is configured', async () => {
    const line = await problemOf({ COUNTERSIGN_REDIS_CA_FILE: redis.caFile }, 'requires a client certificate');
    expect(line.reason).toMatch(
      /^the server requires a client certificate: set COUNTERSIGN_REDIS_CERTIFICATE_FILE \([\w ]+\)$/,
    );
  });

  test('is logged as rejecting a client certificate of another CA', async () => {
    const other = selfSigned().writeTo(directory, 'other');
    const ofOther = {
      COUNTERSIGN_REDIS_CERTIFICATE_FILE: other.cert,
      COUNTERSIGN_REDIS_CERTIFICATE_KEY_FILE: other.key,
    };
    const line = await problemOf({ ...validSettings(), ...ofOther }, 'rejected the client certificate');
    expect(line.reason).toMatch(
      /^the server rejected the client certificate: check COUNTERSIGN_REDIS_CERTIFICATE_FILE \([\w ]+\)$/,
    );
  });

  test.each([
    ['redis:// instead of rediss://', () => `redis://127.0.0.1:${redis.port}`, 'try rediss://'],
    ['rediss:// instead of redis://', () => redisUrl().replace('redis://', 'rediss://'), 'try redis://'],
  ])('is logged with the right URL scheme for %s', async (_, url, reason) => {
    const server = await startAuthorizationServer({ redisUrl: url() });
    const line = await unreachable(server, reason);
    await server.stop();
    expect(line.reason).toContain(reason);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const billing = selfSigned({ subject: [['CN', 'billing']] });
const other = selfSigned({ subject: [['CN', 'other']] });
const INACTIVE = '{"active":false}';

describeWith(['nginx', 'redis-server'], 'while Redis is unreachable', () => {
  const directory = temporaryDirectory();
  let port: number;
  let redis: RunningRedis;
  let deployment: Deployment;
  const start = () => startRedis({ program: programPath('redis-server'), directory, port });

  beforeAll(async () => {
    port = await freePort();
    redis = await start();
    const maxAge = `${Math.ceil(Math.min(5 * slowdown(), 20))}s`;
    const env = { COUNTERSIGN_CLIENT_CACHE_MAX_AGE: maxAge, COUNTERSIGN_CLIENT_CACHE_REFRESH_AFTER: maxAge };
    deployment = await startDeployment({ redisUrl: redis.url, env });
    await register();
  });
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  async function register() {
    for (const [client_id, { thumbprint }] of Object.entries({ billing, other })) {
      const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates: [{ thumbprint }] };
      await deployment.register({ client_id, ...method });
    }
  }
  const post = async (path: string, token: string, identity = billing) => {
    const body = { client_id: identity === billing ? 'billing' : 'other', token };
    return (await deployment.watch(() => deployment.send({ path, body }, { identity }))).response;
  };
  const untilIntrospected = (token: string, isExpected: (response: Awaited<ReturnType<typeof post>>) => boolean) =>
    eventually(
      async () => isExpected(await post('/introspect', token)),
      () => 'the response is still another one',
      30_000,
    );

  test('known revocations hold, no token is revoked, and in the end nothing is answered by a guess', async () => {
    const newToken = async () =>
      String((await deployment.requestToken('billing', { identity: billing })).response.json().access_token);
    const [token, revoked] = [await newToken(), await newToken()];
    expect((await post('/revoke', revoked)).status).toBe(200);
    expect((await post('/introspect', revoked)).body).toBe(INACTIVE);
    expect((await post('/introspect', token)).json().active).toBe(true);

    await redis.stop();
    await untilIntrospected(token, ({ status }) => status === 200);
    expect((await post('/introspect', revoked)).body).toBe(INACTIVE);
    const refused = await post('/revoke', token);
    expect([refused.status, refused.json().error]).toEqual([503, 'temporarily_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // It was not revoked.
    const introspected = await post('/introspect', token);
    expect([200, 503]).toContain(introspected.status);
    expect(introspected.body).not.toBe(INACTIVE);
    // A client that is not cached does not get invalid_client.
    const uncached = await post('/introspect', token, other);
    expect([uncached.status, uncached.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);

    // The staleness bound.
    await untilIntrospected(token, ({ status }) => status === 503);
    const held = await post('/introspect', revoked);
    expect([INACTIVE, 503]).toContain(held.status === 200 ? held.body : held.status);

    redis = await start();
    await register();
    await untilIntrospected(token, ({ status, body }) => status === 200 && body !== INACTIVE);
    // Redis has lost the revocation. This replica has not.
    expect((await post('/introspect', revoked)).body).toBe(INACTIVE);
    expect((await post('/revoke', token)).status).toBe(200);
    expect((await post('/introspect', token)).body).toBe(INACTIVE);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { runCountersign, startCountersign } from '../support/countersign.ts';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { openssl } from '../support/openssl.ts';
import { sendRequest } from '../support/raw-http.ts';
import { redisUrl } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const api = 'https://api.example';
const INACTIVE = '{"active":false}';

const identities: Readonly<Record<'billing' | 'api' | 'stranger', MintedCertificate>> = {
  billing: selfSigned({ subject: [['CN', 'billing']] }),
  api: selfSigned({ subject: [['CN', 'api']] }),
  stranger: selfSigned({ subject: [['CN', 'stranger']] }),
};
type Caller = keyof typeof identities;

const clientRecord = (client_id: Caller, more: object = {}) => ({
  client_id,
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: identities[client_id].thumbprint }],
  ...more,
});
const billing = clientRecord('billing', {
  scope: 'read write',
  audience: api,
  access_token_scope_claim: 'array',
  claims: { tenant: 'one', active: false },
});
const clients = [billing, clientRecord('api', { grant_types: [] }), clientRecord('stranger')];
const resource = { name: 'api', resource: api, scope: 'read', binding: 'none', introspection: ['api'] };
const certificateLines = ({ pem }: MintedCertificate) => [
  `X-SSL-Client-Cert: ${encodeURIComponent(pem)}`,
  'X-SSL-Client-Verify: FAILED:self-signed',
];

describeWith(['nginx', 'redis-server'], 'introspection and revocation behind nginx, with Redis', () => {
  let deployment: Deployment;
  let edge: string;

  beforeAll(async () => {
    deployment = await startDeployment({
      env: { COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0', COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS: 'true' },
    });
    edge = String((await deployment.countersign.waitForEvent(({ event }) => event === 'edge_listening')).url);
    await apply({ clients, resources: [resource] });
  });
  afterAll(() => deployment?.stop());

  async function apply(records: object) {
    const file = join(temporaryDirectory(), 'records.json');
    writeFileSync(file, JSON.stringify(records));
    const [prefix = ''] = deployment.keyOf('').split('client:');
    const env = {
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
      COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS: 'true',
    };
    const { code, stdout, stderr } = await runCountersign(['clients', 'apply', '--file', file], { env });
    if (code !== 0) throw new Error(`clients apply: exit code ${code}\n${stdout}${stderr}`);
  }

  const newToken = async () => {
    const { response } = await deployment.requestToken('billing', { identity: identities.billing });
    return String(response.json().access_token);
  };
  /** With its audit events, which would otherwise be those of a later request. */
  const send: Deployment['send'] = async (...request) =>
    (await deployment.watch(() => deployment.send(...request))).response;
  const ask = (path: string, caller: Caller, token: string, lines: readonly string[] = []) => {
    const body = new URLSearchParams({ client_id: caller, token }).toString();
    const form = 'Content-Type: application/x-www-form-urlencoded';
    return send({ path, lines: [form, ...lines], body }, { identity: identities[caller] });
  };
  const decide = (path: string, token: string) => {
    const request = { path, body: { client_id: 'billing', token } };
    return deployment.decide(() => deployment.send(request, { identity: identities.billing }));
  };
  const introspect = (caller: Caller, token: string, lines: readonly string[] = []) =>
    ask('/introspect', caller, token, lines);
  const untilInactive = (caller: Caller, token: string) =>
    eventually(
      async () => (await introspect(caller, token)).body === INACTIVE,
      () => 'the token is still active',
      10_000,
    );
  const untilActive = (caller: Caller, token: string) =>
    eventually(
      async () => (await introspect(caller, token)).json().active === true,
      () => 'the token is not active',
      10_000,
    );

  test('a new token is active for its client and for the client of the API, and for no other client', async () => {
    const token = await newToken();
    const expected = { ...decodeJwt(token), active: true, token_type: 'Bearer', scope: 'read write' };
    expect((await introspect('billing', token)).json()).toEqual(expected);
    expect((await introspect('api', token)).json()).toEqual(expected);
    expect(expected).toMatchObject({ tenant: 'one', cnf: { 'x5t#S256': identities.billing.thumbprint } });
    expect((await introspect('stranger', token)).body).toBe(INACTIVE);
  });

  test('a token that the edge minted without a binding is active, and has no cnf', async () => {
    const lines = certificateLines(identities.billing);
    const minted = await sendRequest(edge, { method: 'GET', path: '/edge/mint/api', lines });
    const token = String(minted.headers.get('authorization')).replace('Bearer ', '');
    for (const caller of ['billing', 'api'] as const) {
      const response = (await introspect(caller, token)).json();
      expect(response).toMatchObject({ active: true, client_id: 'billing', aud: api, scope: 'read' });
      expect(response).not.toHaveProperty('cnf');
    }
    expect((await ask('/revoke', 'billing', token)).status).toBe(200);
    await untilInactive('api', token);
  });

  test('a client that is disabled or removed has no active token, and one that is enabled again has', async () => {
    const token = await newToken();
    await apply({ clients: [{ ...billing, enabled: false }], resources: [] });
    await untilInactive('api', token);
    await apply({ clients: [billing], resources: [] });
    await untilActive('api', token);
    await deployment.redis.del(deployment.keyOf('billing'));
    await untilInactive('api', token);
    await apply({ clients: [billing], resources: [] });
    await untilActive('api', token);
  });

  test('a resource that no longer lists a client hides its tokens from it', async () => {
    const token = await newToken();
    await apply({ clients: [], resources: [{ ...resource, introspection: [] }] });
    await untilInactive('api', token);
    expect((await introspect('billing', token)).json().active).toBe(true);
    await apply({ clients: [], resources: [resource] });
    await untilActive('api', token);
  });

  test('a revoked token is inactive, and another one of the client is not', async () => {
    const [token, other] = [await newToken(), await newToken()];
    const response = await ask('/revoke', 'billing', token);
    expect([response.status, response.body, response.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
    expect((await introspect('billing', token)).body).toBe(INACTIVE);
    expect((await introspect('api', other)).json().active).toBe(true);
    expect((await ask('/revoke', 'billing', token)).status).toBe(200);
  });

  test("another client's token is not revoked", async () => {
    const token = await newToken();
    const response = await ask('/revoke', 'api', token);
    expect([response.status, response.json().error]).toEqual([400, 'invalid_grant']);
    expect((await introspect('billing', token)).json().active).toBe(true);
  });

  test('both exist at the host without client certificates too, where authentication fails with a challenge', async () => {
    const token = await newToken();
    const body = new URLSearchParams({ client_id: 'billing', token }).toString();
    const lines = ['Content-Type: application/x-www-form-urlencoded'];
    for (const path of ['/introspect', '/revoke']) {
      for (const host of [mtlsHost, plainHost]) {
        const response = await send({ path, lines, body }, { host });
        expect([response.status, response.json().error]).toEqual([401, 'invalid_client']);
        expect(response.headers.get('www-authenticate')).toBe('Basic realm="countersign"');
      }
      const identity = identities.stranger;
      expect((await send({ path, lines, body }, { identity })).status).toBe(401);
      const get = await send({ method: 'GET', path: `${path}?token=${token}` }, { identity });
      expect(get.status).toBe(405);
    }
  });

  // nginx itself does not accept the certificate, and yet the client cannot tell.
  test.each(['/token', '/introspect', '/revoke'])(
    'an expired certificate is rejected at %s as no certificate is',
    async (path) => {
      const expired = deployment.ca.issue({ notAfter: new Date(Date.now() - 60_000) });
      const request = { path, body: { grant_type: 'client_credentials', client_id: 'billing', token: 'x' } };
      const withExpired = await send(request, { identity: expired });
      const without = await send(request);
      for (const name of ['www-authenticate', 'cache-control', 'content-type']) {
        expect(withExpired.headers.get(name), name).toBe(without.headers.get(name));
      }
      expect([withExpired.status, withExpired.body]).toEqual([without.status, without.body]);
      expect(withExpired.headers.get('proxy-status')).toBeNull();
    },
  );

  test('every decision has one audit event, and no log contains a token', async () => {
    const token = await newToken();
    for (const caller of ['billing', 'api', 'stranger'] as const) await introspect(caller, token);
    const { event } = await decide('/revoke', token);
    expect(event).toMatchObject({ event: 'token_revoked', client_id: 'billing', jti: decodeJwt(token).jti });
    const inactive = await decide('/introspect', token);
    expect(inactive.event).toMatchObject({ event: 'token_introspected', active: false });
    expect(inactive.event.reason).toMatch(/^the token: .*revoked/);
    const log = JSON.stringify(deployment.countersign.lines) + deployment.proxy.errors();
    for (const segment of token.split('.')) expect(log).not.toContain(segment);
  });
});

test('a server with a clients file introspects tokens, and has no revocation endpoint', async () => {
  const file = join(temporaryDirectory(), 'clients.json');
  writeFileSync(file, JSON.stringify({ clients, resources: [{ ...resource, binding: 'caller' }] }));
  const countersign = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_CLIENTS_FILE: file,
      COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
    },
  });
  try {
    const post = (path: string, caller: Caller, form: Readonly<Record<string, string>>) =>
      sendRequest(countersign.url, {
        path,
        lines: certificateLines(identities[caller]),
        body: { client_id: caller, ...form },
      });
    const issued = await post('/token', 'billing', { grant_type: 'client_credentials' });
    const token = String(issued.json().access_token);
    expect((await post('/introspect', 'api', { token })).json()).toMatchObject({
      active: true,
      client_id: 'billing',
    });
    expect((await post('/introspect', 'stranger', { token })).body).toBe(INACTIVE);
    expect((await post('/revoke', 'billing', { token })).status).toBe(404);
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const { body } = await sendRequest(countersign.url, { method: 'GET', path: `/.well-known/${name}` });
      expect(body).toContain('introspection_endpoint');
      expect(body).not.toContain('revo');
    }
  } finally {
    await countersign.stop();
  }
});

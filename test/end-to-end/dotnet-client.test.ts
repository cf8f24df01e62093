import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { verifyToken } from '../support/verify-token.ts';

/** Does and checks what the client library of Duende IdentityServer (IdentityModel) does and checks. */

const api = 'https://api.example';
const clientId = 'seed client/1';

/** RFC 6749 §2.3.1 as .NET implements it: both parts form-encoded, by default with an empty secret. */
const basic = (id: string, secret = '') =>
  `Basic ${Buffer.from(`${encodeURIComponent(id).replaceAll('%20', '+')}:${secret}`).toString('base64')}`;

type Metadata = Readonly<Record<string, unknown>>;

const deployments: [string, string][] = [
  ['an issuer without a path', ''],
  ['an issuer with a path', '/identity'],
];

describeWith(['nginx', 'redis-server'], 'a .NET client', () => {
  describe.each(deployments)('at %s', (_title, path) => {
    const own = selfSigned();
    let deployment: Deployment;
    let metadata: Metadata;

    beforeAll(async () => {
      deployment = await startDeployment({ path });
      const authentication = {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        certificates: [{ thumbprint: own.thumbprint }],
      };
      const record = { client_id: clientId, ...authentication, scope: 'api1', audience: api };
      await deployment.register(record);
      await deployment.register({ ...record, client_id: 'array', access_token_scope_claim: 'array' });
      const response = await deployment.fetchAs(own)(`${deployment.issuer}/.well-known/openid-configuration`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      metadata = JSON.parse(await response.text());
    });
    afterAll(() => deployment?.stop());

    const aliasOf = (name: string) => String(Object(metadata.mtls_endpoint_aliases)[name]);

    /** By default, .NET sends the client_id in Basic with an empty secret, and not in the body. */
    function tokenAs(identity: MintedCertificate, authorization: string, id?: string): Promise<Decision> {
      const { pathname } = new URL(aliasOf('token_endpoint'));
      const body = { grant_type: 'client_credentials', scope: 'api1', ...(id && { client_id: id }) };
      const lines = authorization ? [`Authorization: ${authorization}`] : [];
      return deployment.decide(() => deployment.send({ path: pathname, lines, body }, { identity }));
    }

    test('finds exactly the configured issuer, and every endpoint below it', () => {
      expect(metadata.issuer).toBe(deployment.issuer);
      const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('endpoint') || name === 'jwks_uri');
      expect(endpoints.map(([name]) => name)).toEqual(expect.arrayContaining(['token_endpoint', 'jwks_uri']));
      for (const [, url] of endpoints) expect(String(url).replace(/\/\w+$/, '')).toBe(deployment.issuer);
      expect(aliasOf('token_endpoint')).toBe(`https://${mtlsHost}:${deployment.port}${path}/token`);
      expect(metadata).toMatchObject({
        tls_client_certificate_bound_access_tokens: true,
        token_endpoint_auth_methods_supported: ['tls_client_auth', 'self_signed_tls_client_auth'],
        grant_types_supported: ['client_credentials'],
      });
    });

    test.each([
      ['without a certificate', false],
      ['with a certificate', true],
    ])('reads the JWKS from the plain host, %s', async (_how, withCertificate) => {
      const fetch = deployment.fetchAs(withCertificate ? own : undefined);
      const headers = { accept: 'application/json, application/jwk-set+json' };
      const response = await fetch(String(metadata.jwks_uri), { headers });
      expect([response.status, new URL(String(metadata.jwks_uri)).hostname]).toEqual([200, plainHost]);
      const { keys } = Object(await response.json());
      expect(keys).toEqual([expect.objectContaining({ kty: 'EC', use: 'sig', alg: 'ES256', kid: expect.any(String) })]);
      expect(Object.keys(keys[0])).not.toContain('d');
    });

    test('gets a token with a bare client_id in Basic', async () => {
      const { response, event } = await tokenAs(own, basic(clientId));
      expect([response.status, event.event]).toEqual([200, 'token_issued']);
      const { access_token: token, expires_in: lifetime, ...rest } = response.json();
      expect(rest).toEqual({ token_type: 'Bearer', scope: 'api1' });
      expect(Number.isInteger(lifetime) && Number(lifetime) > 0).toBe(true);
      const audience = { issuer: deployment.issuer, audience: api, fetch: deployment.fetchAs() };
      const { claims } = await verifyToken(String(token), audience);
      expect(claims).toMatchObject({ client_id: clientId, scope: 'api1', cnf: { 'x5t#S256': own.thumbprint } });
      for (const name of ['exp', 'iat', 'nbf']) expect(Number.isInteger(claims[name]), name).toBe(true);
    });

    test('gets a token with its client_id in the body, alone or in addition to Basic', async () => {
      expect((await tokenAs(own, '', clientId)).response.status).toBe(200);
      expect((await tokenAs(own, basic(clientId), clientId)).response.status).toBe(200);
      const { response, event } = await tokenAs(own, basic(clientId), 'array');
      expect([response.status, response.json().error]).toEqual([400, 'invalid_request']);
      expect(event.reason).toBe('The request names two clients.');
    });

    test('gets the scope claim as an array if its record requires it', async () => {
      const { response } = await tokenAs(own, basic('array'));
      const audience = { issuer: deployment.issuer, audience: api, fetch: deployment.fetchAs() };
      const { claims } = await verifyToken(String(response.json().access_token), audience);
      expect(claims.scope).toEqual(['api1']);
    });

    test('gets 401, a challenge and JSON if it fails to authenticate with Basic', async () => {
      const { response, event } = await tokenAs(selfSigned(), basic(clientId));
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="countersign"']);
      expect(response.json()).toEqual({ error: 'invalid_client', error_description: 'Client authentication failed.' });
      expect(event.reason).toContain('is not registered for this client');
    });

    test('gets 400 and JSON if it fails to authenticate with its client_id in the body', async () => {
      const { response, event } = await tokenAs(selfSigned(), '', clientId);
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([400, null]);
      expect(response.headers.get('content-type')).toMatch(/^application\/json\b/);
      expect(response.json()).toEqual({ error: 'invalid_client', error_description: 'Client authentication failed.' });
      expect(event.reason).toContain('is not registered for this client');
    });

    test('gets no token with a secret in addition to its certificate', async () => {
      const { response, event } = await tokenAs(own, basic(clientId, 'secret'));
      expect([response.status, response.json().error]).toEqual([400, 'invalid_request']);
      expect(event.reason).toBe('the request uses client_secret_basic and a client certificate');
    });

    test.each([
      ['RFC 8414 metadata', (base: string) => `/.well-known/oauth-authorization-server${base}`],
      ['OpenID metadata', (base: string) => `${base}/.well-known/openid-configuration`],
      ['OpenID metadata at the RFC 8414 position', (base: string) => `/.well-known/openid-configuration${base}`],
      ['RFC 8414 metadata at the OpenID position', (base: string) => `${base}/.well-known/oauth-authorization-server`],
      ['the JWKS', (base: string) => `${base}/jwks`],
    ])('revalidates unchanged %s with 304', async (_what, pathOf) => {
      const url = `https://${plainHost}:${deployment.port}${pathOf(path)}`;
      const fetch = deployment.fetchAs();
      const first = await fetch(url);
      const etag = first.headers.get('etag') ?? '';
      expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
      expect(etag).toMatch(/^"[\w-]+"$/);
      const same = await fetch(url, { headers: { 'if-none-match': `"other", W/${etag}` } });
      expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, etag, '']);
      const other = await fetch(url, { headers: { 'if-none-match': '"other"' } });
      expect([other.status, await other.text()]).toEqual([200, await first.text()]);
    });
  });
});

import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import type { HttpsFetch } from '../support/https-fetch.ts';
import { verifyToken } from '../support/verify-token.ts';

const placements = ['oauth2', 'oidc'] as const;
const api = 'https://api.example';

describeWith(['nginx', 'redis-server'], 'unmodified client libraries', () => {
  describe.each([
    ['an issuer without a path', ''],
    ['an issuer with a path', '/tenants/one'],
  ])('at %s', (_title, path) => {
    const own = selfSigned();
    let deployment: Deployment;
    /** The `fetch` of a client with a certificate; it records the requested URLs. */
    let fetchWithCertificate: HttpsFetch;
    const requestedUrls: string[] = [];

    beforeAll(async () => {
      deployment = await startDeployment({ path });
      await deployment.register({
        client_id: 'library client/1',
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        certificates: [{ thumbprint: own.thumbprint }],
        scope: 'read write',
        audience: api,
      });
      const fetch = deployment.fetchAs(own);
      fetchWithCertificate = (url, init) => {
        requestedUrls.push(url);
        return fetch(url, init);
      };
    });
    afterAll(() => deployment?.stop());

    async function expectBound(token: string, scope: string) {
      const { issuer, fetchAs } = deployment;
      const { claims } = await verifyToken(token, { issuer, audience: api, fetch: fetchAs() });
      expect(claims).toMatchObject({ client_id: 'library client/1', scope, cnf: { 'x5t#S256': own.thumbprint } });
    }

    test.each(placements)('openid-client gets a token, by %s discovery', async (algorithm) => {
      requestedUrls.length = 0;
      const metadata = { use_mtls_endpoint_aliases: true };
      const options = { algorithm, [openid.customFetch]: fetchWithCertificate };
      const server = new URL(deployment.issuer);
      const method = openid.TlsClientAuth();
      const configuration = await openid.discovery(server, 'library client/1', metadata, method, options);
      const granted = await openid.clientCredentialsGrant(configuration, { scope: 'read' });
      expect(granted).toMatchObject({ token_type: 'bearer', scope: 'read', expires_in: 3600 });
      expect(granted.expiresIn()).toBeGreaterThan(3590);
      await expectBound(granted.access_token, 'read');
      expect(requestedUrls.map((url) => new URL(url).hostname)).toEqual([plainHost, mtlsHost]);
    });

    test.each(placements)('oauth4webapi gets a token, by %s discovery', async (algorithm) => {
      requestedUrls.length = 0;
      const options = { [oauth.customFetch]: fetchWithCertificate };
      const issuer = new URL(deployment.issuer);
      const discovered = await oauth.discoveryRequest(issuer, { ...options, algorithm });
      const server = await oauth.processDiscoveryResponse(issuer, discovered);
      const client = { client_id: 'library client/1', use_mtls_endpoint_aliases: true };
      const method = oauth.TlsClientAuth();
      const parameters = new URLSearchParams({ resource: api });
      const response = await oauth.clientCredentialsGrantRequest(server, client, method, parameters, options);
      const granted = await oauth.processClientCredentialsResponse(server, client, response);
      await expectBound(granted.access_token, 'read write');
      expect(requestedUrls.map((url) => new URL(url).hostname)).toEqual([plainHost, mtlsHost]);
    });

    test('openid-client reports the error code of a rejected request', async () => {
      const options = { [openid.customFetch]: deployment.fetchAs(selfSigned()) };
      const metadata = { use_mtls_endpoint_aliases: true };
      const server = new URL(deployment.issuer);
      const method = openid.TlsClientAuth();
      const configuration = await openid.discovery(server, 'library client/1', metadata, method, options);
      const { response, events } = await deployment.watch(() =>
        openid.clientCredentialsGrant(configuration).catch((error: unknown) => error),
      );
      expect(response).toMatchObject({ error: 'invalid_client', status: 400 });
      expect(response).toBeInstanceOf(openid.ResponseBodyError);
      expect(events).toMatchObject([{ reason: expect.stringContaining('is not registered for this client') }]);
    });
  });
});

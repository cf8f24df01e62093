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

    describe('manage a token:', () => {
      const metadata = { use_mtls_endpoint_aliases: true };
      const signed = { ...metadata, introspection_signed_response_alg: 'ES256' };
      const stranger = selfSigned();
      const described = { active: true, client_id: 'library client/1', scope: 'read write', token_type: 'Bearer' };

      beforeAll(() =>
        deployment.register({
          client_id: 'stranger',
          token_endpoint_auth_method: 'self_signed_tls_client_auth',
          certificates: [{ thumbprint: stranger.thumbprint }],
        }),
      );

      const discover = (algorithm: (typeof placements)[number], more: object, clientId = 'library client/1') => {
        const fetch = clientId === 'stranger' ? deployment.fetchAs(stranger) : fetchWithCertificate;
        const options = { algorithm, [openid.customFetch]: fetch };
        return openid.discovery(new URL(deployment.issuer), clientId, more, openid.TlsClientAuth(), options);
      };

      test.each(placements)('openid-client introspects and revokes it, by %s discovery', async (algorithm) => {
        const configuration = await discover(algorithm, metadata);
        const { access_token: token } = await openid.clientCredentialsGrant(configuration);
        requestedUrls.length = 0;
        const introspected = await openid.tokenIntrospection(configuration, token, { token_type_hint: 'access_token' });
        expect(introspected).toMatchObject({ ...described, cnf: { 'x5t#S256': own.thumbprint } });
        const hidden = await openid.tokenIntrospection(await discover(algorithm, metadata, 'stranger'), token);
        expect(hidden).toEqual({ active: false });
        await openid.tokenRevocation(configuration, token, { token_type_hint: 'refresh_token' });
        expect(await openid.tokenIntrospection(configuration, token)).toEqual({ active: false });
        const urls = ['introspect', 'revoke', 'introspect'].map((name) => `${deployment.mtlsUrl}/${name}`);
        expect(requestedUrls).toEqual(urls);
      });

      test('openid-client verifies a JWT response with the keys of the server, also about an inactive token', async () => {
        const configuration = await discover('oauth2', signed);
        openid.enableNonRepudiationChecks(configuration);
        const { access_token: token } = await openid.clientCredentialsGrant(configuration);
        expect(await openid.tokenIntrospection(configuration, token)).toMatchObject(described);
        expect(await openid.tokenIntrospection(configuration, `${token}x`)).toEqual({ active: false });
        expect(requestedUrls.some((url) => url.endsWith('/jwks'))).toBe(true);
      });

      test('oauth4webapi introspects it, as JSON and as a JWT, and revokes it', async () => {
        const options = { [oauth.customFetch]: fetchWithCertificate };
        const issuer = new URL(deployment.issuer);
        const discovered = await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' });
        const server = await oauth.processDiscoveryResponse(issuer, discovered);
        const method = oauth.TlsClientAuth();
        const client = { client_id: 'library client/1', ...metadata };
        const parameters = new URLSearchParams();
        const issued = await oauth.clientCredentialsGrantRequest(server, client, method, parameters, options);
        const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, issued);
        const introspect = async (requestJwtResponse: boolean) => {
          const more = { ...options, requestJwtResponse };
          const response = await oauth.introspectionRequest(server, client, method, token, more);
          const introspected = await oauth.processIntrospectionResponse(server, client, response);
          // It verifies a signature only if there is one.
          if (requestJwtResponse) await oauth.validateApplicationLevelSignature(server, response, options);
          return introspected;
        };
        expect(await introspect(false)).toMatchObject(described);
        expect(await introspect(true)).toEqual(await introspect(false));
        const revoked = await oauth.revocationRequest(server, client, method, token, options);
        await oauth.processRevocationResponse(revoked);
        expect([await introspect(true), await introspect(false)]).toEqual([{ active: false }, { active: false }]);
      });

      test('openid-client reports why it may not revoke it', async () => {
        const configuration = await discover('oidc', metadata);
        const { access_token: token } = await openid.clientCredentialsGrant(configuration);
        const other = await discover('oidc', metadata, 'stranger');
        await expect(openid.tokenRevocation(other, token)).rejects.toMatchObject({
          error: 'invalid_grant',
          status: 400,
        });
        expect(await openid.tokenIntrospection(configuration, token)).toMatchObject({ active: true });
      });

      test('openid-client reports the challenge of failed authentication', async () => {
        const configuration = await discover('oauth2', metadata);
        const { access_token: token } = await openid.clientCredentialsGrant(configuration);
        configuration[openid.customFetch] = deployment.fetchAs(selfSigned());
        for (const request of [openid.tokenIntrospection, openid.tokenRevocation]) {
          const error = await request(configuration, token).catch((thrown: unknown) => thrown);
          expect(error).toMatchObject({ status: 401 });
          expect(error).toBeInstanceOf(openid.WWWAuthenticateChallengeError);
        }
      });
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

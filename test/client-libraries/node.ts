import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import type { HttpsFetch } from '../support/https-fetch.ts';
import { type Result, resultOf } from './results.ts';
import type { RunningScenario, ScenarioClient } from './scenarios.ts';

/** openid-client, oauth4webapi and jose, in this process. */
export async function runNodeLibraries(scenarios: readonly RunningScenario[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const scenario of scenarios) {
    results.push(...(await runOpenidClient(scenario)), ...(await runOauth4webapi(scenario)));
  }
  return results;
}

async function runOpenidClient({ scenario, deployment, fetchAs }: RunningScenario): Promise<Result[]> {
  const library = 'openid-client';
  const discover = (clientId: string, fetch: HttpsFetch, algorithm: 'oidc' | 'oauth2') =>
    openid.discovery(new URL(scenario.issuer), clientId, { use_mtls_endpoint_aliases: true }, openid.TlsClientAuth(), {
      algorithm,
      [openid.customFetch]: fetch,
    });
  const results = [
    await resultOf({ library, scenario: scenario.name, step: 'discovery' }, async () => {
      for (const algorithm of ['oidc', 'oauth2'] as const) await discover('any', deployment.fetchAs(), algorithm);
    }),
  ];
  for (const client of scenario.clients) {
    const request = async () => {
      const configuration = await discover(client.clientId, fetchAs(client), 'oidc');
      const { expires_in, scope } = await openid.clientCredentialsGrant(configuration, { scope: 'read' });
      if (expires_in !== 3600 || scope !== 'read') throw new Error('unexpected response');
    };
    results.push(await resultOf({ library, scenario: scenario.name, step: client.method }, request));
  }
  return results;
}

async function runOauth4webapi({ scenario, deployment, fetchAs }: RunningScenario): Promise<Result[]> {
  const library = 'oauth4webapi';
  const issuer = new URL(scenario.issuer);
  const options = { [oauth.customFetch]: deployment.fetchAs() };
  const discover = async (algorithm: 'oidc' | 'oauth2') =>
    oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm }));
  const results = [
    await resultOf({ library, scenario: scenario.name, step: 'discovery' }, async () => {
      for (const algorithm of ['oidc', 'oauth2'] as const) await discover(algorithm);
    }),
  ];
  let token = '';
  for (const identity of scenario.clients) {
    const request = async () => {
      token = await requestToken(await discover('oauth2'), identity, fetchAs(identity));
    };
    results.push(await resultOf({ library, scenario: scenario.name, step: identity.method }, request));
  }
  const verify = async () => {
    const request = new Request(scenario.audience, { headers: { authorization: `Bearer ${token}` } });
    await oauth.validateJwtAccessToken(await discover('oauth2'), request, scenario.audience, options);
  };
  const verifyWithJose = async () => {
    const { jwks_uri: jwksUri = '' } = await discover('oauth2');
    // Safe: the JWKS of the server; jose validates what it uses of it.
    const keys = createLocalJWKSet((await (await deployment.fetchAs()(jwksUri)).json()) as JSONWebKeySet);
    const verifyFor = (audience: string, text: string) =>
      jwtVerify(text, keys, { issuer: scenario.issuer, audience, typ: 'at+jwt', requiredClaims: ['sub', 'exp'] });
    await verifyFor(scenario.audience, token);
    await requireRejection(() => verifyFor('https://other.example', token));
    await requireRejection(() => verifyFor(scenario.audience, tampered(token)));
  };
  return [
    ...results,
    await resultOf({ library, scenario: scenario.name, step: 'verification' }, verify),
    await resultOf({ library: 'jose', scenario: scenario.name, step: 'verification' }, verifyWithJose),
  ];
}

async function requestToken(server: oauth.AuthorizationServer, { clientId }: ScenarioClient, fetch: HttpsFetch) {
  const client = { client_id: clientId, use_mtls_endpoint_aliases: true };
  const parameters = new URLSearchParams({ scope: 'read' });
  const options = { [oauth.customFetch]: fetch };
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.TlsClientAuth(),
    parameters,
    options,
  );
  const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, response);
  return token;
}

/** The token with another first character of the signature. */
function tampered(token: string): string {
  return token.replace(/\.(.)([^.]+)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`);
}

async function requireRejection(action: () => Promise<unknown>): Promise<void> {
  const accepted = await action().then(
    () => true,
    () => false,
  );
  if (accepted) throw new Error('accepted a wrong token');
}

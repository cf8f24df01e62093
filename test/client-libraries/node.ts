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

/** oauth4webapi, and jose with the token that it got. */
async function runOauth4webapi(running: RunningScenario): Promise<Result[]> {
  const { scenario, fetchAs } = running;
  const step = (name: string) => ({ library: 'oauth4webapi', scenario: scenario.name, step: name });
  const results = [
    await resultOf(step('discovery'), async () => {
      for (const algorithm of ['oidc', 'oauth2'] as const) await discover(running, algorithm);
    }),
  ];
  let token = '';
  for (const client of scenario.clients) {
    const request = async () => {
      token = await requestToken(await discover(running, 'oauth2'), client, fetchAs(client));
    };
    results.push(await resultOf(step(client.method), request));
  }
  const jose = { ...step('verification'), library: 'jose' };
  return [
    ...results,
    await resultOf(step('verification'), () => validateAccessToken(running, token)),
    await resultOf(jose, () => verifyWithJose(running, token)),
  ];
}

async function discover({ scenario, deployment }: RunningScenario, algorithm: 'oidc' | 'oauth2') {
  const issuer = new URL(scenario.issuer);
  const options = { algorithm, [oauth.customFetch]: deployment.fetchAs() };
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
}

/** RFC 9068 §4, as a resource server does. */
async function validateAccessToken(running: RunningScenario, token: string): Promise<void> {
  const { audience } = running.scenario;
  const options = { [oauth.customFetch]: running.deployment.fetchAs() };
  const server = await discover(running, 'oauth2');
  const validate = (text: string, expectedAudience: string) => {
    const request = new Request(audience, { headers: { authorization: `Bearer ${text}` } });
    return oauth.validateJwtAccessToken(server, request, expectedAudience, options);
  };
  await requireVerification(validate, token, audience);
}

async function verifyWithJose(running: RunningScenario, token: string): Promise<void> {
  const { issuer, audience } = running.scenario;
  const { jwks_uri: jwksUri = '' } = await discover(running, 'oauth2');
  // Safe: the JWKS of the server; jose validates what it uses of it.
  const keys = createLocalJWKSet((await (await running.deployment.fetchAs()(jwksUri)).json()) as JSONWebKeySet);
  const verify = (text: string, expectedAudience: string) =>
    jwtVerify(text, keys, { issuer, audience: expectedAudience, typ: 'at+jwt', requiredClaims: ['sub', 'exp'] });
  await requireVerification(verify, token, audience);
}

/** Accepts the token, and rejects it for another audience and with another signature. */
async function requireVerification(
  verify: (token: string, audience: string) => Promise<unknown>,
  token: string,
  audience: string,
): Promise<void> {
  await verify(token, audience);
  await requireRejection(() => verify(token, 'https://other.example'));
  await requireRejection(() => verify(tampered(token), audience));
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

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientRecord, Decision } from '../support/authorization-server.ts';
import { selfSigned, thumbprintOf } from '../support/certificates.ts';
import { type Deployment, type Parameters, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { verifyToken } from '../support/verify-token.ts';

type Registration = Omit<ClientRecord, 'client_id'>;
type Expected = Readonly<Record<string, unknown>>;

const one = 'https://one.example';
const two = 'https://two.example';
const byScope = { scope: 'a b c', audience: { a: one, b: [one, two] } };
const both = { scope: 'a b', audience: [one, two] };
const isolated = { scope: 'a b', audience: one, isolated_audience: two };

const granted: [title: string, Registration, Parameters, Expected][] = [
  ['all registered scopes if it requests none', { scope: 'a b' }, {}, { scope: 'a b' }],
  ['the scopes that it requests', { scope: 'a b c' }, { scope: 'c a' }, { scope: 'c a' }],
  ['a scope once if it requests it twice', { scope: 'a b' }, { scope: 'b b' }, { scope: 'b' }],
  ['no scope if none is registered', {}, {}, { scope: undefined }],
  [
    'its scope as an array if registered so',
    { scope: 'a b', access_token_scope_claim: 'array' },
    {},
    { scope: ['a', 'b'] },
  ],
  [
    'a single scope as an array if registered so',
    { scope: 'a', access_token_scope_claim: 'array' },
    {},
    { scope: ['a'] },
  ],
  ['the issuer as audience if none is registered', {}, {}, { aud: 'ISSUER' }],
  ['its only audience as a string', { audience: one }, {}, { aud: one }],
  ['its audiences as an array', { audience: [one, two] }, {}, { aud: [one, two] }],
  ['the audiences of all its scopes', byScope, {}, { aud: [one, two], scope: 'a b c' }],
  ['the audience of the scope that it requests', byScope, { scope: 'a' }, { aud: one, scope: 'a' }],
  ['the issuer as audience for a scope without one', byScope, { scope: 'c' }, { aud: 'ISSUER', scope: 'c' }],
  ['the resource that it requests', both, { resource: two }, { aud: two, scope: 'a b' }],
  ['both resources that it requests', both, { resource: [two, one] }, { aud: [two, one] }],
  ['a resource once if it requests it twice', both, { resource: [one, one] }, { aud: one }],
  ['the scopes of the resource that it requests', byScope, { resource: two }, { aud: two, scope: 'b' }],
  [
    'a scope and its resource if it requests both',
    byScope,
    { resource: one, scope: 'a b' },
    { aud: one, scope: 'a b' },
  ],
  ['the scopes between superfluous spaces', { scope: 'a b' }, { scope: '  a   b ' }, { scope: 'a b' }],
  ['all registered scopes if it requests only spaces', { scope: 'a b' }, { scope: '  ' }, { scope: 'a b' }],
  ['a resource as registered if it requests it as .NET does', both, { resource: `${one}/` }, { aud: one }],
  ['a resource as registered with a slash', { audience: `${one}/` }, { resource: one }, { aud: `${one}/` }],
  ['no isolated audience if it requests none', isolated, {}, { aud: one, scope: 'a b' }],
  ['the isolated audience that it requests', isolated, { resource: `${two}/` }, { aud: two, scope: 'a b' }],
  ['the issuer as audience if all are isolated', { isolated_audience: one }, {}, { aud: 'ISSUER' }],
  ['the registered lifetime', { access_token_lifetime: 10 }, {}, { lifetime: 10 }],
  ['a lifetime of a day if registered', { access_token_lifetime: 86_400 }, {}, { lifetime: 86_400 }],
  ['a lifetime of an hour by default', {}, {}, { lifetime: 3600 }],
  [
    'the claims of its record',
    { claims: { tenant: 7, roles: ['x', { y: null }] } },
    {},
    { tenant: 7, roles: ['x', { y: null }] },
  ],
];

const rejected: [title: string, Registration, Parameters, error: string, reason: string][] = [
  ['a scope that is not registered', { scope: 'a' }, { scope: 'a b' }, 'invalid_scope', 'not registered for scope "b"'],
  ['any scope if none is registered', {}, { scope: 'a' }, 'invalid_scope', 'not registered for scope "a"'],
  ['a scope in another case', { scope: 'a' }, { scope: 'A' }, 'invalid_scope', 'not registered for scope "A"'],
  ['a tab between scopes', both, { scope: 'a\tb' }, 'invalid_scope', 'is not a list of scope tokens'],
  ['an isolated resource and another one', isolated, { resource: [two, one] }, 'invalid_target', 'is isolated'],
  [
    'a scope that only an isolated resource has',
    { scope: 'a b', audience: { a: one }, isolated_audience: { b: two } },
    { resource: one, scope: 'b' },
    'invalid_target',
    'scope "b" does not belong',
  ],
  [
    'a resource that is not registered',
    both,
    { resource: `${one}/x` },
    'invalid_target',
    'not registered for resource',
  ],
  [
    'one registered and one other resource',
    both,
    { resource: [one, 'urn:x'] },
    'invalid_target',
    'registered for resource "urn:x"',
  ],
  ['a resource with a fragment', both, { resource: `${one}#x` }, 'invalid_target', 'not an absolute URI'],
  [
    'a resource with a slash after its path',
    { audience: `${one}/x` },
    { resource: `${one}/x/` },
    'invalid_target',
    'not registered',
  ],
  ['a relative resource', both, { resource: '/one' }, 'invalid_target', 'not an absolute URI'],
  [
    'a scope of another resource',
    byScope,
    { resource: two, scope: 'a' },
    'invalid_target',
    'scope "a" does not belong',
  ],
];

describeWith(['nginx', 'redis-server'], 'an access token contains', () => {
  const own = selfSigned();
  let deployment: Deployment;
  let clients = 0;

  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());

  /** Registers a client with these fields, and requests a token as this client. */
  async function requestAs(registration: Registration, parameters: Parameters): Promise<Decision> {
    clients += 1;
    const client_id = `client-${clients}`;
    const authentication = {
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: own.thumbprint }],
    };
    await deployment.register({ client_id, ...authentication, ...registration });
    return deployment.requestToken(client_id, { identity: own }, parameters);
  }

  async function claimsOf({ response, event }: Decision, audience: unknown) {
    expect([response.status, event.reason]).toEqual([200, undefined]);
    const { issuer, fetchAs } = deployment;
    const api = { issuer, audience: String([audience].flat()[0] ?? event.audience), fetch: fetchAs() };
    return (await verifyToken(String(response.json().access_token), api)).claims;
  }

  test.each(granted)('%s', async (_title, registration, parameters, { lifetime = 3600, ...expected }) => {
    const decision = await requestAs(registration, parameters);
    const named = { ...expected, ...(expected.aud === 'ISSUER' && { aud: deployment.issuer }) };
    const claims = await claimsOf(decision, named.aud);
    for (const [name, value] of Object.entries(named)) expect(claims[name], name).toEqual(value);
    const body = decision.response.json();
    expect(body.expires_in).toBe(lifetime);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(lifetime);
    const scope = claims.scope === undefined ? undefined : [claims.scope].flat().join(' ');
    expect([body.scope, decision.event.scope]).toEqual([scope, scope]);
    const expiresAt = new Date(Number(claims.exp) * 1000).toISOString();
    expect(decision.event).toMatchObject({ audience: [claims.aud].flat(), jti: claims.jti, expires_at: expiresAt });
  });

  test.each(rejected)('nothing if the client requests %s', async (_title, registration, parameters, error, reason) => {
    const { response, event } = await requestAs(registration, parameters);
    expect([response.status, response.json().error]).toEqual([400, error]);
    expect(event).toMatchObject({ event: 'token_rejected', error, reason: expect.stringContaining(reason) });
    expect((await requestAs(registration, {})).response.status).toBe(200);
  });

  test.each([
    ['its SPIFFE ID', 'spiffe://prod.example/ns/shop/sa/billing'],
    ['the SPIFFE ID of the certificate for a pattern', 'spiffe://prod.example/ns/*/sa/billing'],
  ])('%s as sub', async (title, tls_client_auth_spiffe_id) => {
    const spiffeId = 'spiffe://prod.example/ns/shop/sa/billing';
    const identity = deployment.ca.issue({ uris: [spiffeId], subject: [['O', 'SPIRE']] });
    const pin = thumbprintOf(deployment.ca.keys.publicKey.export({ type: 'spki', format: 'der' }));
    await deployment.register({
      client_id: title,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_spiffe_id,
      tls_client_auth_ca: [pin],
    });
    const decision = await deployment.requestToken(title, { identity });
    expect(await claimsOf(decision, undefined)).toMatchObject({ sub: spiffeId, client_id: title });
    expect(decision.event).toMatchObject({ client_id: title, sub: spiffeId, spiffe_id: spiffeId });
    const other = deployment.ca.issue({ uris: ['spiffe://prod.example/ns/shop/sa/orders'] });
    const rejected = await deployment.requestToken(title, { identity: other });
    expect([rejected.response.status, rejected.response.json().error]).toEqual([400, 'invalid_client']);
    expect(rejected.event).toMatchObject({ spiffe_id: 'spiffe://prod.example/ns/shop/sa/orders' });
    expect(rejected.event).not.toHaveProperty('sub');
  });

  test('an expiration that is not after that of the certificate', async () => {
    const minutes = new Date(Math.ceil(Date.now() / 1000) * 1000 + 600_000);
    const identity = selfSigned({ notAfter: minutes });
    const certificates = [{ thumbprint: identity.thumbprint }];
    const client_id = 'expiring';
    await deployment.register({ client_id, token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates });
    const decision = await deployment.requestToken(client_id, { identity });
    const claims = await claimsOf(decision, undefined);
    expect(claims.exp).toBe(minutes.getTime() / 1000);
    expect(decision.response.json().expires_in).toBe(Number(claims.exp) - Number(claims.iat));
    expect(decision.event.expires_at).toBe(minutes.toISOString());
  });

  test('nothing if the client is registered for the edge only', async () => {
    const { response, event } = await requestAs({ grant_types: [] }, {});
    expect([response.status, response.json().error]).toEqual([400, 'unauthorized_client']);
    expect(event).toMatchObject({ reason: 'the client is not registered for client_credentials' });
  });

  test.each(['iss', 'sub', 'aud', 'exp', 'cnf', 'client_id', 'scope', 'jti'])(
    'no %s claim from the client record',
    async (claim) => {
      const { response, event } = await requestAs({ claims: { [claim]: 'forged' } }, {});
      expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
      expect(event.reason).toContain(`claims.${claim}: is a claim that the server sets`);
    },
  );
});

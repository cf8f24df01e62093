import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa, selfSigned } from './certificates.ts';
import { type ReceivedRequest, receivedValues } from './demo-upstream.ts';
import type { Identity } from './deployment.ts';
import { describeWith } from './describe-with.ts';
import {
  type EdgeDeployment,
  type EdgeExchange,
  forwardedThumbprint,
  forwardedToken,
  startEdgeDeployment,
} from './edge-deployment.ts';
import { type EdgeProxy, type EdgeProxyName, edgeProxies } from './edge-proxies.ts';
import { certificateFor } from './edge-records.ts';

const reports = 'https://reports.example';
const stock = 'https://stock.example';
const metadata = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/reports"';

/** A request that the proxy must deny. */
interface Denied {
  readonly title: string;
  readonly path: string;
  /** Default: none. */
  readonly identity?: (deployment: EdgeDeployment) => Identity;
  /** Header lines. Default: none. */
  readonly lines?: (deployment: EdgeDeployment) => Promise<readonly string[]>;
  readonly status: 401 | 403;
  /** `WWW-Authenticate`. Default: absent. */
  readonly challenge?: RegExp;
}

const as = (name: string) => (deployment: EdgeDeployment) => deployment.certificateOf(name);
const renewed = (name: string) => (deployment: EdgeDeployment) => deployment.ca.issue(certificateFor(name));
const bearer = (name: string, audience: string) => async (deployment: EdgeDeployment) => [
  `Authorization: Bearer ${await deployment.requestToken(name, audience)}`,
];
const literally = (value: string) => async () => [`Authorization: ${value}`];

const noToken = /^Bearer( resource_metadata="[^"]+")?$/;
const invalidToken = /^Bearer error="invalid_token"/;
const insufficientScope = /^Bearer error="insufficient_scope"/;

const denied: readonly Denied[] = [
  { title: 'a client without a certificate', path: '/orders/', status: 401, challenge: noToken },
  {
    title: 'a certificate that no client registers',
    path: '/orders/',
    identity: renewed('nobody'),
    status: 401,
    challenge: noToken,
  },
  { title: 'a disabled client', path: '/orders/', identity: as('disabled'), status: 401, challenge: noToken },
  {
    title: 'a client that is not registered for the resource',
    path: '/orders/',
    identity: as('outsider'),
    status: 403,
    challenge: insufficientScope,
  },
  {
    title: 'a client without the scope of the resource',
    path: '/orders/',
    identity: as('narrow'),
    status: 403,
    challenge: insufficientScope,
  },
  {
    title: 'a certificate of two clients',
    path: '/orders/',
    identity: as('twin'),
    status: 403,
  },
  { title: 'a request without a token', path: '/reports/', identity: as('alpha'), status: 401, challenge: noToken },
  {
    title: 'a token that is none',
    path: '/reports/',
    identity: as('alpha'),
    lines: literally('Bearer abc.def.ghi'),
    status: 401,
    challenge: invalidToken,
  },
  {
    title: 'a token in a list',
    path: '/reports/',
    identity: as('alpha'),
    lines: async (deployment) => [`${(await bearer('alpha', reports)(deployment)).join()}, Bearer abc`],
    status: 401,
    challenge: /^Bearer/,
  },
  {
    title: 'a token for another resource',
    path: '/reports/',
    identity: as('alpha'),
    lines: bearer('alpha', stock),
    status: 401,
    challenge: invalidToken,
  },
  {
    title: 'a stolen token with the certificate of another client',
    path: '/reports/',
    identity: as('beta'),
    lines: bearer('alpha', reports),
    status: 401,
    challenge: invalidToken,
  },
  {
    title: 'a stolen token without a certificate',
    path: '/reports/',
    lines: bearer('alpha', reports),
    status: 401,
    challenge: /^Bearer/,
  },
  {
    title: 'a token with a renewed certificate of the same name',
    path: '/reports/',
    identity: renewed('alpha'),
    lines: bearer('alpha', reports),
    status: 401,
    challenge: invalidToken,
  },
  {
    title: 'neither a token nor a certificate',
    path: '/stock/',
    status: 401,
    challenge: noToken,
  },
  {
    title: 'an invalid token, whatever the certificate',
    path: '/stock/',
    identity: as('alpha'),
    lines: literally('Bearer abc.def.ghi'),
    status: 401,
    challenge: invalidToken,
  },
  {
    title: 'a password, whatever the certificate',
    path: '/stock/',
    identity: as('alpha'),
    lines: literally('Basic YWxwaGE6c2VjcmV0'),
    status: 401,
    challenge: /^Bearer/,
  },
];

/** What the edge decides, as the client and the API see it through this proxy. */
export function describeEdgeDecisions(name: EdgeProxyName): void {
  const { program, patience }: EdgeProxy = edgeProxies[name];

  describeWith([program], `the edge behind ${name}`, () => {
    let deployment: EdgeDeployment;
    beforeAll(async () => {
      deployment = await startEdgeDeployment({ proxy: name, replace: patience });
    });
    afterAll(() => deployment?.stop());

    /** Exactly one request reached the API, with a valid token and the identity of this client. */
    async function expectIdentity({ response, received }: EdgeExchange, clientId: string, resource: string) {
      expect([response.status, received.length]).toEqual([200, 1]);
      const [request] = received as [ReceivedRequest]; // Safe: its length is 1.
      const token = forwardedToken(request) ?? '';
      const audience = `https://${resource}.example`;
      const claims = await deployment.verify(token, audience);
      const { thumbprint } = deployment.certificateOf(clientId);
      expect(claims).toMatchObject({ client_id: clientId, sub: clientId, cnf: { 'x5t#S256': thumbprint } });
      expect(forwardedThumbprint(name, request)).toBe(thumbprint);
      const fields = ['Client-Id', 'Subject', 'Scope', 'Audience', 'Expires'];
      const values = fields.map((field) => receivedValues(request, `X-Countersign-${field}`));
      expect(values).toEqual([[clientId], [clientId], [claims.scope], [audience], [String(claims.exp)]]);
      expect(response.headers.has('authorization')).toBe(false);
      return token;
    }

    test.each(['alpha', 'edge-only'])('mints a token for the client %s', async (client) => {
      const request = { path: '/orders/1?a=b%20c' };
      const exchange = await deployment.exchange(request, deployment.certificateOf(client));
      const token = await expectIdentity(exchange, client, 'orders');
      expect(exchange.received[0]).toMatchObject({ method: 'GET', target: request.path });
      const again = await deployment.exchange(request, deployment.certificateOf(client));
      expect(await expectIdentity(again, client, 'orders')).toBe(token);
    });

    test('replaces the Authorization of a client that gets a token', async () => {
      const lines = ['Authorization: Basic YWxwaGE6c2VjcmV0'];
      const exchange = await deployment.exchange({ path: '/orders/', lines }, deployment.certificateOf('alpha'));
      await expectIdentity(exchange, 'alpha', 'orders');
    });

    test.each(['Bearer', 'bearer', 'BEARER'])('verifies a token after "%s"', async (scheme) => {
      const token = await deployment.requestToken('alpha', reports);
      const lines = [`Authorization: ${scheme} ${token}`];
      const exchange = await deployment.exchange({ path: '/reports/', lines }, deployment.certificateOf('alpha'));
      expect(await expectIdentity(exchange, 'alpha', 'reports')).toBe(token);
    });

    test('either verifies the token of a request, and forwards one for this resource', async () => {
      const token = await deployment.requestToken('alpha', stock);
      const request = { path: '/stock/', lines: [`Authorization: Bearer ${token}`] };
      const exchange = await deployment.exchange(request, deployment.certificateOf('alpha'));
      expect(await expectIdentity(exchange, 'alpha', 'stock')).not.toBe(token);
    });

    test('or mints one for a request without', async () => {
      const exchange = await deployment.exchange({ path: '/stock/' }, deployment.certificateOf('beta'));
      await expectIdentity(exchange, 'beta', 'stock');
    });

    test.each(denied)('denies $title with $status', async ({ path, identity, lines, status, challenge }) => {
      const request = { path, lines: (await lines?.(deployment)) ?? [] };
      const { response, received } = await deployment.exchange(request, identity?.(deployment));
      expect(received).toEqual([]);
      expect(response.status).toBe(status);
      expectDenial(response.headers, challenge);
      if (path === '/reports/') expect(response.headers.get('www-authenticate')).toContain(metadata);
    });

    // HAProxy 2.6 has crashed from 98 of them.
    test.each([2, 98])('denies %d Authorization headers', async (count) => {
      const [line = ''] = await bearer('alpha', reports)(deployment);
      const request = { path: '/reports/', lines: [line, ...Array(count - 1).fill('Authorization: Bearer abc')] };
      const { response, received } = await deployment.exchange(request, deployment.certificateOf('alpha'));
      // Some proxies reject them as malformed, or as too many.
      expect([400, 401, 431]).toContain(response.status);
      expect(received).toEqual([]);
    });

    test.each([
      ['of another CA', () => createTestCa({ subject: [['CN', 'Client CA']] }).issue(certificateFor('alpha'))],
      ['that is self-signed', () => selfSigned(certificateFor('alpha'))],
    ])('admits no certificate %s', async (_title, certificate) => {
      const seen = deployment.upstream.requests.length;
      const response = await deployment.send({ path: '/orders/' }, certificate()).catch(() => undefined);
      // Without a response, the proxy has rejected the handshake.
      expect([401, undefined]).toContain(response?.status);
      expect(deployment.upstream.requests.slice(seen)).toEqual([]);
    });
  });
}

/** The client learns the challenge, and nothing of what the edge said to the proxy. */
function expectDenial(headers: Headers, challenge: RegExp | undefined): void {
  expect(headers.get('www-authenticate')).toEqual(challenge ? expect.stringMatching(challenge) : null);
  const others = [...headers.keys()].filter((field) => field.startsWith('x-countersign-'));
  expect(others.filter((field) => field !== 'x-countersign-error')).toEqual([]);
  expect([headers.has('authorization'), headers.has('location')]).toEqual([false, false]);
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';

/** The members that each standard requires of a server without authorization and implicit grants. */
const required = {
  'oauth-authorization-server': ['issuer', 'token_endpoint', 'response_types_supported'],
  'openid-configuration': [
    'issuer',
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
  ],
} as const;

type DocumentName = keyof typeof required;
const documentNames = Object.keys(required) as DocumentName[];

/** The registered names (RFC 8414 §2, RFC 8705 §3.3 and §5, RFC 9701 §7, OpenID Connect Discovery 1.0 §3) that may occur. */
const registered: Readonly<Record<DocumentName, readonly string[]>> = {
  'oauth-authorization-server': [
    'issuer',
    'token_endpoint',
    'jwks_uri',
    'response_types_supported',
    'grant_types_supported',
    'token_endpoint_auth_methods_supported',
    'revocation_endpoint',
    'revocation_endpoint_auth_methods_supported',
    'introspection_endpoint',
    'introspection_endpoint_auth_methods_supported',
    'introspection_signing_alg_values_supported',
    'tls_client_certificate_bound_access_tokens',
    'mtls_endpoint_aliases',
  ],
  'openid-configuration': [
    'authorization_endpoint',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
    'request_uri_parameter_supported',
  ],
};

type Metadata = Readonly<Record<string, unknown>>;

const issuers: readonly (readonly [title: string, path: string])[] = [
  ['without a path', ''],
  ['with a path', '/tenants/one'],
  ['with a path and a trailing slash', '/tenants/one/'],
  ['with a trailing slash', '/'],
];

describeWith(['nginx', 'redis-server'], 'the metadata of an issuer', () => {
  describe.each(issuers)('%s', (_title, path) => {
    const base = path.replace(/\/$/, '');
    let deployment: Deployment;
    const documents = new Map<DocumentName, Metadata>();
    const get = (target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
      deployment.fetchAs()(`https://${plainHost}:${deployment.port}${target}`, { headers, method });
    const documentOf = (name: DocumentName) => documents.get(name) ?? {};

    beforeAll(async () => {
      deployment = await startDeployment({ path });
      for (const name of documentNames) documents.set(name, await readJson(`${base}/.well-known/${name}`));
    });
    afterAll(() => deployment?.stop());

    async function readJson(target: string): Promise<Metadata> {
      const response = await get(target);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      return Object(await response.json());
    }

    test.each(documentNames)('%s is served wherever a standard or a client library looks for it', async (name) => {
      const slash = path.endsWith('/') ? [`/.well-known/${name}${path}`, `${path}/.well-known/${name}`] : [];
      for (const target of [`/.well-known/${name}${base}`, `${base}/.well-known/${name}`, ...slash]) {
        expect(await readJson(target), target).toEqual(documentOf(name));
      }
    });

    test.each(documentNames)('%s has every required member and no unregistered one', (name) => {
      const members = Object.keys(documentOf(name));
      expect(members).toEqual(expect.arrayContaining([...required[name]]));
      const allowed = [...registered['oauth-authorization-server'], ...registered[name]];
      expect(members.filter((member) => !allowed.includes(member))).toEqual([]);
    });

    test.each(documentNames)('%s has no empty value, and its issuer is the configured one', (name) => {
      expect(emptyValues(documentOf(name))).toEqual([]);
      expect(documentOf(name).issuer).toBe(deployment.issuer);
    });

    test('openid-configuration has everything that oauth-authorization-server has', () => {
      expect(documentOf('openid-configuration')).toMatchObject(documentOf('oauth-authorization-server'));
    });

    test('openid-configuration is valid by OpenID Connect Discovery', () => {
      const metadata = documentOf('openid-configuration');
      expect(metadata.subject_types_supported).toEqual(['public']);
      expect(metadata.id_token_signing_alg_values_supported).toEqual(['ES256', 'RS256']);
      // Without this member it would be true.
      expect(metadata.request_uri_parameter_supported).toBe(false);
      for (const [name, url] of endpointsOf(metadata)) expect(url, name).toMatch(/^https:\/\/[^/]+\/[^?#]*$/);
    });

    test('every published endpoint exists', async () => {
      const urls = documentNames.flatMap((name) => endpointsOf(documentOf(name)));
      expect(new Set(urls.map(([name]) => name)).size).toBeGreaterThan(3);
      for (const [name, url] of urls) expect((await deployment.fetchAs()(url)).status, name).not.toBe(404);
    });

    test.each(['application/json', 'application/jwk-set+json', 'application/xml', 'text/html;q=0.1', '*/*', ''])(
      'is served for Accept: %s',
      async (accept) => {
        for (const target of [`${base}/jwks`, ...documentNames.map((name) => `${base}/.well-known/${name}`)]) {
          expect((await get(target, { accept })).status, target).toBe(200);
        }
      },
    );

    test('is the same with a query, which some clients append', async () => {
      for (const name of documentNames) {
        expect(await readJson(`${base}/.well-known/${name}?appid=a`)).toEqual(documentOf(name));
      }
    });

    test('is not served at the path of another issuer', async () => {
      for (const name of documentNames) {
        for (const target of [`/.well-known/${name}/tenants/two`, `/tenants/two/.well-known/${name}`]) {
          expect((await get(target)).status, target).toBe(404);
        }
      }
    });

    test('has a head, and names the methods that it has', async () => {
      for (const name of documentNames) {
        const head = await get(`${base}/.well-known/${name}`, {}, 'HEAD');
        expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
          200,
          'application/json',
          '',
        ]);
        const options = await get(`${base}/.well-known/${name}`, {}, 'OPTIONS');
        expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      }
    });

    test.each([
      ['GET', '?response_type=code&client_id=a&redirect_uri=https%3A%2F%2Fevil.example%2F'],
      ['GET', '?response_type=none&client_id=a'],
      ['GET', ''],
      ['POST', ''],
    ])('the authorization endpoint rejects %s %s and never redirects', async (method, query) => {
      const url = String(documentOf('openid-configuration').authorization_endpoint);
      const response = await deployment.fetchAs()(`${url}${query}`, { method });
      expect([response.status, response.headers.get('location')]).toEqual([400, null]);
      expect(response.headers.get('content-type')).toMatch(/^application\/json\b/);
      expect(Object(await response.json())).toMatchObject({ error: 'unauthorized_client' });
    });
  });
});

/** The endpoints of a document and its aliases, by name. */
function endpointsOf(metadata: Metadata): [name: string, url: string][] {
  const aliases = Object.entries(Object(metadata.mtls_endpoint_aliases)).map(([name, url]) => [`alias ${name}`, url]);
  return [...Object.entries(metadata), ...aliases]
    .filter(([name]) => /endpoint$|^jwks_uri$/.test(String(name)))
    .map(([name, url]) => [String(name), String(url)]);
}

/** The paths of empty arrays, objects and strings. */
function emptyValues(value: unknown, path = ''): string[] {
  if (value === '' || value === null || value === undefined) return [path];
  if (typeof value !== 'object') return [];
  const entries = Object.entries(value);
  return entries.length === 0 ? [path] : entries.flatMap(([name, inner]) => emptyValues(inner, `${path}/${name}`));
}

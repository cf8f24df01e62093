import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../../../src/administration/import/draft.ts';
import { readKeycloak } from '../../../src/administration/import/keycloak/keycloak.ts';
import { importedClients } from '../../support/imported-clients.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const imported = (text: string) => importedClients(readKeycloak(text), now);
const file = readFileSync(join(import.meta.dirname, 'files/realm.json'), 'utf8');

const exact = { 'x509.subjectdn': 'CN=a', 'x509.allow.regex.pattern.comparison': 'false' };
const validClient = {
  clientId: 'a',
  clientAuthenticatorType: 'client-x509',
  serviceAccountsEnabled: true,
  attributes: exact,
  defaultClientScopes: [],
};
/** Definitions of scopes without mappers. */
const clientScopes = ['x', 'y', 'z', 'x y', '"'].map((name) => ({ name }));
/** Imports one valid client with these members changed, from a realm with these members. */
const one = (more: object, realm: object = {}) => {
  const clients = [{ ...validClient, ...more }];
  return imported(JSON.stringify({ realm: 'r', accessTokenLifespan: 300, clientScopes, clients, ...realm }));
};
const record = (more: object, realm?: object) => one(more, realm).clients[0] ?? {};

describe('a Keycloak realm export', () => {
  const { clients, notes, remarks, skipped, yaml } = imported(file);

  test('becomes client records', () => {
    expect(clients).toEqual([
      {
        client_id: 'billing',
        client_name: 'Billing',
        client_uri: 'https://wiki.example/billing',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=billing,OU=production,O=Company\\, Inc.',
        tls_client_certificate_bound_access_tokens: true,
        scope: 'invoices',
        audience: ['https://invoices.example', 'stock-api'],
        claims: { tenant: { id: 7 } },
        access_token_lifetime: 900,
      },
      {
        client_id: 'sensor-7',
        enabled: false,
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=sensor-7,O=company',
        scope: 'invoices reports',
        audience: { invoices: ['https://invoices.example'], reports: ['https://invoices.example', 'reports-api'] },
        access_token_lifetime: 300,
      },
    ]);
  });

  test('gets a note for everything that is lost', () => {
    expect(notes).toEqual([
      'service account roles auditor, stock-api/reader: not supported, so tokens do not contain them',
      'requests without a scope parameter also get the optional scopes: reports',
    ]);
    expect(remarks).toEqual(['description: Writes the invoices']);
    expect(yaml).toContain("# Keycloak's built-in clients were not imported: account, admin-cli\n");
  });

  test('skips clients with a subject pattern or another authenticator, with the reason', () => {
    expect(Object.entries(skipped)).toEqual([
      ['fleet', expect.stringContaining('x509.subjectdn is a regular expression')],
      ['web', 'it authenticates with client-secret: register the certificate of this client'],
    ]);
    expect(yaml).toContain('\n  #   tls_client_auth_subject_dn: (.*?)CN=fleet-\\d+(.*?)\n');
  });
});

describe('Keycloak clients are found', () => {
  test.each<[string, unknown]>([
    ['in a realm', { realm: 'r', clients: [validClient] }],
    ['in a list of realms', [{ clients: [] }, { clients: [validClient] }]],
    ['as a single client', validClient],
    ['in a list', [validClient]],
  ])('%s', (_, value) => {
    expect(imported(JSON.stringify(value)).clients).toMatchObject([{ client_id: 'a' }]);
  });

  test.each(['clients', '{"realm": "r"}', '[]', '7', '{"clients": {"a": {}}}'])('is rejected: %s', (text) => {
    expect(() => imported(text)).toThrow(ImportError);
  });

  test('once for two realms with the same client_id', () => {
    const { clients, skipped } = imported(JSON.stringify([{ clients: [validClient] }, { clients: [validClient] }]));
    expect([clients.length, skipped]).toEqual([1, { a: 'a client above has the same client_id' }]);
  });
});

describe('x509.subjectdn', () => {
  const named = (subject: string, pattern?: string | null) =>
    one({ attributes: { 'x509.subjectdn': subject, 'x509.allow.regex.pattern.comparison': pattern } });

  test.each<[string, string | undefined, string, string]>([
    ['exact, RFC 4514', 'false', 'CN=a,OU=b,O=c', 'CN=a,OU=b,O=c'],
    ['exact, with the least specific RDN first', 'false', 'C=CL,O=b,CN=a', 'C=CL,O=b,CN=a'],
    ['exact, as Java prints it', 'false', 'CN=a, OU=b, O=c', 'CN=a,OU=b,O=c'],
    ['exact, with spaces around "="', 'false', 'O = c, CN = a', 'O=c,CN=a'],
    ['exact, in quotes', 'False', 'CN=a, O="c, d"', 'CN=a,O=c\\, d'],
    ['exact, with characters that are special in a regular expression', 'false', 'CN=a.b (c)', 'CN=a.b (c)'],
    ['a regular expression without special characters', 'true', 'CN=a, O=c', 'CN=a,O=c'],
    ['a regular expression, because the setting is missing', undefined, 'CN=a', 'CN=a'],
    ['a regular expression with anchors', 'true', '^CN=a, O=c$', 'CN=a,O=c'],
    ['a regular expression with an escaped dollar', 'true', 'CN=a\\$', 'CN=a$'],
    ['a regular expression with other escapes', 'true', 'CN=a\\.example\\, O=c\\-d', 'CN=a.example,O=c-d'],
  ])('is imported: %s', (_, pattern, text, dn) => {
    const { clients, notes } = named(text, pattern);
    expect(clients).toMatchObject([{ tls_client_auth_subject_dn: dn }]);
    expect(notes).toEqual([]);
  });

  test.each([
    '.*',
    '(.*?)(?:$)',
    'CN=a.example',
    'CN=a\\d',
    'CN=\\Qa\\E',
    'CN=[ab]',
    'CN=a|CN=b',
    'CN=a+',
    'CN=a{2}',
    'CN=a$$',
    'CN=a\\',
    'CN=a\\\\.',
  ])('is skipped as a regular expression: %s', (text) => {
    for (const setting of ['true', undefined, null]) {
      const { clients, skipped } = named(text, setting);
      expect(clients).toEqual([]);
      expect(skipped.a).toContain('is a regular expression');
    }
  });

  test.each([
    ['', 'is empty'],
    ['a', 'x509.subjectdn'],
    ['subject=CN=a', 'x509.subjectdn'],
    ['/CN=a/O=b', 'x509.subjectdn'],
    ['CN=a,,O=b', 'x509.subjectdn'],
    ['NOPE=a', 'x509.subjectdn'],
  ])('is skipped as invalid: %j', (text, reason) => {
    const { clients, skipped } = named(text, 'false');
    expect(clients).toEqual([]);
    expect(skipped.a).toContain(reason);
  });
});

describe('a Keycloak client member', () => {
  const base = {
    client_id: 'a',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=a',
    access_token_lifetime: 300,
  };

  test.each<[string, object, object]>([
    ['name', { name: 'A' }, { client_name: 'A' }],
    ['a name that is a placeholder', { name: ['$', '{client_a}'].join('') }, {}],
    ['enabled', { enabled: false }, { enabled: false }],
    ['a token lifetime', { attributes: { ...exact, 'access.token.lifespan': '60' } }, { access_token_lifetime: 60 }],
    ['an empty token lifetime', { attributes: { ...exact, 'access.token.lifespan': '' } }, {}],
    ['a built-in scope', { defaultClientScopes: ['profile', 'roles'], optionalClientScopes: ['phone'] }, {}],
    ['a disabled feature', { standardFlowEnabled: false, redirectUris: [], webOrigins: [] }, {}],
  ])('%s is imported without a note', (_, more, expected) => {
    const { clients, notes } = one(more);
    expect(clients).toEqual([{ ...base, ...expected }]);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['a flow for users', { standardFlowEnabled: true }, 'standardFlowEnabled: not supported'],
    ['redirectUris', { redirectUris: ['https://a/*'] }, 'redirectUris https://a/*: not supported'],
    ['DPoP', { attributes: { ...exact, 'dpop.bound.access.tokens': 'true' } }, 'dpop.bound.access.tokens'],
    [
      'a signature algorithm',
      { attributes: { ...exact, 'access.token.signed.response.alg': 'PS256' } },
      'the signing key of the server',
    ],
    ['a required CA', { attributes: { ...exact, 'x509.casubjectdn': 'CN=CA' } }, 'tls_client_auth_ca'],
    [
      'an overridden flow',
      { authenticationFlowBindingOverrides: { browser: 'x' } },
      'authenticationFlowBindingOverrides',
    ],
    [
      'the lifetime of a session',
      { attributes: { ...exact, 'access.token.lifespan': '-1' } },
      'default of 3600 applies',
    ],
    ['a lifetime that is too short', { attributes: { ...exact, 'access.token.lifespan': '5' } }, 'changed to 10'],
    ['a scope with a space', { defaultClientScopes: ['x y'] }, 'the scope "x y" was not imported'],
  ])('%s gets a note', (_, more, note) => {
    const { clients, notes } = one(more);
    expect(clients).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining(note)]);
  });

  test('is quoted if YAML 1.1 would read it as a Boolean or a number', () => {
    const { yaml } = one({ clientId: 'off', name: '012' });
    expect(yaml).toContain('  - client_id: "off"\n    client_name: "012"\n');
  });

  test('defaultClientScopes omits names that are not scope tokens', () => {
    expect(record({ defaultClientScopes: ['x y', 'z'], optionalClientScopes: ['"'] })).toMatchObject({ scope: 'z' });
  });

  test('clientAuthenticatorType client-x509 makes a built-in client an imported one', () => {
    expect(record({ clientId: 'admin-cli' })).toMatchObject({ client_id: 'admin-cli' });
  });

  test('access.token.lifespan gets a note if it is missing and the file has no realm', () => {
    const { clients, notes } = imported(JSON.stringify(validClient));
    expect(clients[0]).not.toHaveProperty('access_token_lifetime');
    expect(notes).toEqual([expect.stringContaining('accessTokenLifespan of the realm is not in this file')]);
  });

  test('a scope gets a note if the file does not define it, as for clients from the admin REST API', () => {
    const scopes = { defaultClientScopes: ['profile', 'x', 'x y'], optionalClientScopes: ['phone', 'y'] };
    const lifetime = { attributes: { ...exact, 'access.token.lifespan': '300' } };
    const { clients, notes } = imported(JSON.stringify([{ ...validClient, ...lifetime, ...scopes }]));
    expect(clients).toMatchObject([{ scope: 'x y' }]);
    expect(notes).toEqual([
      'requests without a scope parameter also get the optional scopes: y',
      ...['x', 'x y', 'y'].map((name) => expect.stringContaining(`the scope "${name}" is not defined in this file`)),
      'the scope "x y" was not imported: no request can contain it',
    ]);
    const defined = one({ ...lifetime, ...scopes });
    expect(defined.notes).toHaveLength(2);
  });

  test('defaultClientScopes defaults to those of the realm', () => {
    const realm = { defaultDefaultClientScopes: ['profile', 'x'] };
    expect(record({ defaultClientScopes: undefined }, realm)).toMatchObject({ scope: 'x' });
    expect(record({ defaultClientScopes: ['y'] }, realm)).toMatchObject({ scope: 'y' });
  });

  test.each<[string, object, string]>([
    ['uses SAML', { protocol: 'saml' }, 'protocol is saml'],
    ['is an API', { bearerOnly: true }, 'bearerOnly is true'],
    ['is public', { publicClient: true }, 'publicClient is true'],
    ['authenticates with a secret', { clientAuthenticatorType: undefined }, 'it authenticates with client-secret'],
    ['authenticates with a JWT', { clientAuthenticatorType: 'client-jwt' }, 'it authenticates with client-jwt'],
    ['has no service account', { serviceAccountsEnabled: false }, 'serviceAccountsEnabled'],
    ['has an invalid client_id', { clientId: 'a\nb' }, 'client_id: expected 1 to 255'],
    ['has no clientId', { clientId: '' }, 'clientId is missing'],
  ])('a client that %s is skipped, with the reason', (_, more, reason) => {
    const { clients, skipped } = one(more);
    expect(clients).toEqual([]);
    expect(Object.values(skipped)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('Keycloak protocol mappers', () => {
  const mapper = (protocolMapper: string, config: object) => ({
    name: 'm',
    protocolMapper,
    config: { 'access.token.claim': 'true', ...config },
  });
  const claim = (name: string, value: unknown, type?: string) =>
    mapper('oidc-hardcoded-claim-mapper', { 'claim.name': name, 'claim.value': value, 'jsonType.label': type });
  const audience = (config: object) => mapper('oidc-audience-mapper', config);

  test.each<[string, object[], object]>([
    ['a string', [claim('x', '7')], { x: '7' }],
    ['a number', [claim('x', '7', 'long')], { x: 7 }],
    ['a Boolean', [claim('x', 'true', 'boolean')], { x: true }],
    ['JSON', [claim('x', '[1]', 'JSON')], { x: [1] }],
    ['nested claims', [claim('x.y', '1'), claim('x.z', '2'), claim('x.y', '3')], { x: { y: '3', z: '2' } }],
    ['a claim with a dot in its name', [claim('https://a\\.example/x', '1')], { 'https://a.example/x': '1' }],
    ['a nested claim after an escaped backslash', [claim('x\\\\.y', '1')], { 'x\\': { y: '1' } }],
  ])('add %s', (_, protocolMappers, claims) => {
    const { clients, notes } = one({ protocolMappers });
    expect(clients[0]?.claims).toEqual(claims);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['a claim that the server sets', claim('sub', 'x'), 'the server sets this claim itself'],
    ['a member of a claim that the server sets', claim('cnf.x', 'x'), 'the server sets this claim itself'],
    ['the prototype of an object', claim('x.__proto__.y', 'x'), 'a record cannot contain'],
    ['a claim without a name', claim('x..y', 'x'), 'its claim name has an empty part'],
    ['an invalid number', claim('x', '7.5', 'int'), 'its value is not of type int'],
    ['invalid JSON', claim('x', '{', 'JSON'), 'its value is not of type JSON'],
    ['a user attribute', mapper('oidc-usermodel-attribute-mapper', { 'claim.name': 'x' }), 'not supported'],
  ])('are not imported for %s', (_, protocolMapper, note) => {
    const { clients, notes } = one({ protocolMappers: [protocolMapper] });
    expect(clients[0]).not.toHaveProperty('claims');
    expect(notes).toEqual([expect.stringMatching(/^the protocol mapper "m" /)]);
    expect(notes[0]).toContain(note);
  });

  test.each<[string, object]>([
    [
      'for other tokens',
      { ...claim('x', '1'), config: { 'claim.name': 'x', 'claim.value': '1', 'id.token.claim': 'true' } },
    ],
    ['without a value', claim('x', undefined)],
    ['if built in', mapper('oidc-usersessionmodel-note-mapper', { 'user.session.note': 'clientHost' })],
  ])('are ignored %s', (_, protocolMapper) => {
    const { clients, notes } = one({ protocolMappers: [protocolMapper] });
    expect([clients[0]?.claims, notes]).toEqual([undefined, []]);
  });

  test('add each audience once, and prefer the client audience to the custom one', () => {
    const protocolMappers = [
      audience({ 'included.client.audience': 'api', 'included.custom.audience': 'other' }),
      audience({ 'included.client.audience': '', 'included.custom.audience': 'https://a' }),
      audience({ 'included.custom.audience': 'api' }),
    ];
    expect(record({ protocolMappers }).audience).toEqual(['api', 'https://a']);
  });

  test('of default scopes apply to every token, those of optional scopes to their scope', () => {
    const clientScopes = [
      { name: 'x', protocolMappers: [audience({ 'included.custom.audience': 'of-x' }), claim('c', '1')] },
      { name: 'hidden', attributes: { 'include.in.token.scope': 'false' }, protocolMappers: [claim('d', '2')] },
      { name: 'roles', protocolMappers: [audience({ 'included.custom.audience': 'of-roles' }), mapper('other', {})] },
      { name: 'o', protocolMappers: [audience({ 'included.custom.audience': 'of-o' }), claim('e', '3')] },
    ];
    const { clients, notes } = one(
      { defaultClientScopes: ['x', 'hidden', 'roles'], optionalClientScopes: ['o'] },
      { clientScopes },
    );
    expect(clients[0]).toMatchObject({
      scope: 'x o',
      audience: { x: ['of-x', 'of-roles'], o: ['of-x', 'of-roles', 'of-o'] },
      claims: { c: '1', d: '2' },
    });
    expect(notes).toEqual([
      'requests without a scope parameter also get the optional scopes: o',
      'the claim e of the optional scope o was not imported: it would be in every token',
    ]);
  });
});

test('a disabled realm disables its clients, with a note', () => {
  for (const enabled of [false, 'False']) {
    const { clients, notes } = one({ enabled: true }, { enabled });
    expect(clients).toMatchObject([{ client_id: 'a', enabled: false }]);
    expect(notes).toContain('disabled because its realm is disabled');
  }
  expect(record({}, { enabled: true })).not.toHaveProperty('enabled');
});

test('a disabled service account disables its client, with a note', () => {
  const users = [
    { username: 'person', enabled: false },
    { username: 'service-account-a', serviceAccountClientId: 'a', enabled: false },
  ];
  const { clients, notes } = one({}, { users });
  expect(clients).toMatchObject([{ client_id: 'a', enabled: false }]);
  expect(notes).toContain('disabled because its service account is disabled');
  expect(record({}, { users: users.slice(0, 1) })).not.toHaveProperty('enabled');
});

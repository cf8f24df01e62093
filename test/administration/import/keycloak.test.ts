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
const sound = {
  clientId: 'a',
  clientAuthenticatorType: 'client-x509',
  serviceAccountsEnabled: true,
  attributes: exact,
  defaultClientScopes: [],
};
/** Scopes that say nothing else. */
const clientScopes = ['x', 'y', 'z', 'x y', '"'].map((name) => ({ name }));
/** One client with these members, or others than the sound ones, in such a realm. */
const one = (more: object, realm: object = {}) => {
  const clients = [{ ...sound, ...more }];
  return imported(JSON.stringify({ realm: 'r', accessTokenLifespan: 300, clientScopes, clients, ...realm }));
};
const record = (more: object, realm?: object) => one(more, realm).clients[0] ?? {};

describe('the export of a realm', () => {
  const { clients, notes, remarks, leftOut, yaml } = imported(file);

  test('becomes records', () => {
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

  test('is told what it loses', () => {
    expect(notes).toEqual([
      'the roles auditor, stock-api/reader of its service account are in no token',
      'the optional scopes are also in tokens of requests that name no scope: reports',
    ]);
    expect(remarks).toEqual(['description: Writes the invoices']);
    expect(yaml).toContain("# Keycloak's own clients are not needed here: account, admin-cli\n");
  });

  test('leaves out patterns and other authenticators, and says so', () => {
    expect(Object.entries(leftOut)).toEqual([
      ['fleet', expect.stringContaining('its x509.subjectdn is a pattern')],
      ['web', 'it authenticates by client-secret; register its certificate'],
    ]);
    expect(yaml).toContain('\n  #   tls_client_auth_subject_dn: (.*?)CN=fleet-\\d+(.*?)\n');
  });
});

describe('clients are found', () => {
  test.each<[string, unknown]>([
    ['in a realm', { realm: 'r', clients: [sound] }],
    ['in realms', [{ clients: [] }, { clients: [sound] }]],
    ['alone', sound],
    ['in a list', [sound]],
  ])('%s', (_, value) => {
    expect(imported(JSON.stringify(value)).clients).toMatchObject([{ client_id: 'a' }]);
  });

  test.each(['clients', '{"realm": "r"}', '[]', '7', '{"clients": {"a": {}}}'])('never in %s', (text) => {
    expect(() => imported(text)).toThrow(ImportError);
  });

  test('of two realms with one name, one', () => {
    const { clients, leftOut } = imported(JSON.stringify([{ clients: [sound] }, { clients: [sound] }]));
    expect([clients.length, leftOut]).toEqual([1, { a: 'another client above has this client_id' }]);
  });
});

describe('x509.subjectdn', () => {
  const named = (subject: string, pattern?: string | null) =>
    one({ attributes: { 'x509.subjectdn': subject, 'x509.allow.regex.pattern.comparison': pattern } });

  test.each<[string, string | undefined, string, string]>([
    ['exact, RFC 4514', 'false', 'CN=a,OU=b,O=c', 'CN=a,OU=b,O=c'],
    ['exact, with the general part first', 'false', 'C=CL,O=b,CN=a', 'C=CL,O=b,CN=a'],
    ['exact, as Java prints it', 'false', 'CN=a, OU=b, O=c', 'CN=a,OU=b,O=c'],
    ['exact, with spaces at "="', 'false', 'O = c, CN = a', 'O=c,CN=a'],
    ['exact, in quotes', 'False', 'CN=a, O="c, d"', 'CN=a,O=c\\, d'],
    ['exact, in which a pattern would mean more', 'false', 'CN=a.b (c)', 'CN=a.b (c)'],
    ['a pattern of one name', 'true', 'CN=a, O=c', 'CN=a,O=c'],
    ['a pattern, since nothing is said', undefined, 'CN=a', 'CN=a'],
    ['a pattern between its ends', 'true', '^CN=a, O=c$', 'CN=a,O=c'],
    ['a pattern with a dollar in its name', 'true', 'CN=a\\$', 'CN=a$'],
    ['a pattern with escapes', 'true', 'CN=a\\.example\\, O=c\\-d', 'CN=a.example,O=c-d'],
  ])('is a name: %s', (_, pattern, text, dn) => {
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
  ])('is no name, but a pattern: %s', (text) => {
    for (const setting of ['true', undefined, null]) {
      const { clients, leftOut } = named(text, setting);
      expect(clients).toEqual([]);
      expect(leftOut.a).toContain('is a pattern');
    }
  });

  test.each([
    ['', 'is empty'],
    ['a', 'x509.subjectdn'],
    ['subject=CN=a', 'x509.subjectdn'],
    ['/CN=a/O=b', 'x509.subjectdn'],
    ['CN=a,,O=b', 'x509.subjectdn'],
    ['NOPE=a', 'x509.subjectdn'],
  ])('is neither: %j', (text, why) => {
    const { clients, leftOut } = named(text, 'false');
    expect(clients).toEqual([]);
    expect(leftOut.a).toContain(why);
  });
});

describe('a member', () => {
  const usual = {
    client_id: 'a',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=a',
    access_token_lifetime: 300,
  };

  test.each<[string, object, object]>([
    ['name', { name: 'A' }, { client_name: 'A' }],
    ['a key of a translation', { name: ['$', '{client_a}'].join('') }, {}],
    ['enabled', { enabled: false }, { enabled: false }],
    ['the lifetime', { attributes: { ...exact, 'access.token.lifespan': '60' } }, { access_token_lifetime: 60 }],
    ['no lifetime', { attributes: { ...exact, 'access.token.lifespan': '' } }, {}],
    ["Keycloak's own scopes", { defaultClientScopes: ['profile', 'roles'], optionalClientScopes: ['phone'] }, {}],
    ['what is off', { standardFlowEnabled: false, redirectUris: [], webOrigins: [] }, {}],
  ])('%s is carried over without a note', (_, more, expected) => {
    const { clients, notes } = one(more);
    expect(clients).toEqual([{ ...usual, ...expected }]);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['a flow of users', { standardFlowEnabled: true }, 'standardFlowEnabled has no equivalent'],
    ['redirectUris', { redirectUris: ['https://a/*'] }, 'redirectUris https://a/*: no equivalent'],
    ['DPoP', { attributes: { ...exact, 'dpop.bound.access.tokens': 'true' } }, 'dpop.bound.access.tokens'],
    [
      'an algorithm',
      { attributes: { ...exact, 'access.token.signed.response.alg': 'PS256' } },
      'the key of the server',
    ],
    ['the name of its CA', { attributes: { ...exact, 'x509.casubjectdn': 'CN=CA' } }, 'tls_client_auth_ca'],
    [
      'a flow of its own',
      { authenticationFlowBindingOverrides: { browser: 'x' } },
      'authenticationFlowBindingOverrides',
    ],
    ['no end', { attributes: { ...exact, 'access.token.lifespan': '-1' } }, "the server's 3600 hold"],
    ['too short an end', { attributes: { ...exact, 'access.token.lifespan': '5' } }, 'it became 10'],
    ['a scope with a space', { defaultClientScopes: ['x y'] }, 'the scope "x y" is left out'],
  ])('%s is noted', (_, more, note) => {
    const { clients, notes } = one(more);
    expect(clients).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining(note)]);
  });

  test('what tools of YAML 1.1 read as a flag or a number stands in quotes', () => {
    const { yaml } = one({ clientId: 'off', name: '012' });
    expect(yaml).toContain('  - client_id: "off"\n    client_name: "012"\n');
  });

  test('a scope that no request can name is in no record', () => {
    expect(record({ defaultClientScopes: ['x y', 'z'], optionalClientScopes: ['"'] })).toMatchObject({ scope: 'z' });
  });

  test("a client of Keycloak's own that somebody gave a certificate is one of theirs", () => {
    expect(record({ clientId: 'admin-cli' })).toMatchObject({ client_id: 'admin-cli' });
  });

  test('the lifetime is noted where the realm, which has it, is not in the file', () => {
    const { clients, notes } = imported(JSON.stringify(sound));
    expect(clients[0]).not.toHaveProperty('access_token_lifetime');
    expect(notes).toEqual([expect.stringContaining("its lifetime is the realm's")]);
  });

  test('a scope is noted that the file does not describe, as of clients of the admin REST API', () => {
    const scopes = { defaultClientScopes: ['profile', 'x', 'x y'], optionalClientScopes: ['phone', 'y'] };
    const lifetime = { attributes: { ...exact, 'access.token.lifespan': '300' } };
    const { clients, notes } = imported(JSON.stringify([{ ...sound, ...lifetime, ...scopes }]));
    expect(clients).toMatchObject([{ scope: 'x y' }]);
    expect(notes).toEqual([
      'the optional scopes are also in tokens of requests that name no scope: y',
      ...['x', 'x y', 'y'].map((name) => expect.stringContaining(`the scope "${name}" is not described in this file`)),
      'the scope "x y" is left out: no request can name it',
    ]);
    const described = one({ ...lifetime, ...scopes });
    expect(described.notes).toHaveLength(2);
  });

  test('scopes are those of the realm where the client names none', () => {
    const realm = { defaultDefaultClientScopes: ['profile', 'x'] };
    expect(record({ defaultClientScopes: undefined }, realm)).toMatchObject({ scope: 'x' });
    expect(record({ defaultClientScopes: ['y'] }, realm)).toMatchObject({ scope: 'y' });
  });

  test.each<[string, object, string]>([
    ['has SAML', { protocol: 'saml' }, 'its protocol is saml'],
    ['is an API', { bearerOnly: true }, 'bearer-only'],
    ['is public', { publicClient: true }, 'it is public'],
    ['has a secret', { clientAuthenticatorType: undefined }, 'it authenticates by client-secret'],
    ['has a JWT', { clientAuthenticatorType: 'client-jwt' }, 'it authenticates by client-jwt'],
    ['has no service account', { serviceAccountsEnabled: false }, 'serviceAccountsEnabled'],
    ['has an impossible name', { clientId: 'a\nb' }, 'client_id expected 1 to 255'],
    ['has no name', { clientId: '' }, 'it has no clientId'],
  ])('a client is left out, and why is said, that %s', (_, more, why) => {
    const { clients, leftOut } = one(more);
    expect(clients).toEqual([]);
    expect(Object.values(leftOut)).toEqual([expect.stringContaining(why)]);
  });
});

describe('protocol mappers', () => {
  const mapper = (protocolMapper: string, config: object) => ({
    name: 'm',
    protocolMapper,
    config: { 'access.token.claim': 'true', ...config },
  });
  const claim = (name: string, value: unknown, type?: string) =>
    mapper('oidc-hardcoded-claim-mapper', { 'claim.name': name, 'claim.value': value, 'jsonType.label': type });
  const audience = (config: object) => mapper('oidc-audience-mapper', config);

  test.each<[string, object[], object]>([
    ['a text', [claim('x', '7')], { x: '7' }],
    ['a number', [claim('x', '7', 'long')], { x: 7 }],
    ['a flag', [claim('x', 'true', 'boolean')], { x: true }],
    ['JSON', [claim('x', '[1]', 'JSON')], { x: [1] }],
    ['one in another', [claim('x.y', '1'), claim('x.z', '2'), claim('x.y', '3')], { x: { y: '3', z: '2' } }],
    ['one with a dot', [claim('https://a\\.example/x', '1')], { 'https://a.example/x': '1' }],
    ['one with a backslash before the dot', [claim('x\\\\.y', '1')], { 'x\\': { y: '1' } }],
  ])('add %s', (_, protocolMappers, claims) => {
    const { clients, notes } = one({ protocolMappers });
    expect(clients[0]?.claims).toEqual(claims);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['a claim that the server sets', claim('sub', 'x'), 'the server sets that claim itself'],
    ['one within such a claim', claim('cnf.x', 'x'), 'the server sets that claim itself'],
    ['the prototype of an object', claim('x.__proto__.y', 'x'), 'no record can hold'],
    ['a claim without a name', claim('x..y', 'x'), 'its claim has no name'],
    ['a number that is none', claim('x', '7.5', 'int'), 'its value is not of type int'],
    ['JSON that is none', claim('x', '{', 'JSON'), 'its value is not of type JSON'],
    ['what users have', mapper('oidc-usermodel-attribute-mapper', { 'claim.name': 'x' }), 'has no equivalent'],
  ])('are left out for %s', (_, protocolMapper, note) => {
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
    ["of Keycloak's own", mapper('oidc-usersessionmodel-note-mapper', { 'user.session.note': 'clientHost' })],
  ])('are nothing: %s', (_, protocolMapper) => {
    const { clients, notes } = one({ protocolMappers: [protocolMapper] });
    expect([clients[0]?.claims, notes]).toEqual([undefined, []]);
  });

  test('add audiences: the client before the text, each once', () => {
    const protocolMappers = [
      audience({ 'included.client.audience': 'api', 'included.custom.audience': 'other' }),
      audience({ 'included.client.audience': '', 'included.custom.audience': 'https://a' }),
      audience({ 'included.custom.audience': 'api' }),
    ];
    expect(record({ protocolMappers }).audience).toEqual(['api', 'https://a']);
  });

  test('of scopes count as those of the client, of optional ones for their scope', () => {
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
      'the optional scopes are also in tokens of requests that name no scope: o',
      'the claim e of the optional scope o is left out',
    ]);
  });
});

test('the clients of a realm that is disabled are, and that is noted', () => {
  for (const enabled of [false, 'False']) {
    const { clients, notes } = one({ enabled: true }, { enabled });
    expect(clients).toMatchObject([{ client_id: 'a', enabled: false }]);
    expect(notes).toContain('its realm is disabled, and so it is here');
  }
  expect(record({}, { enabled: true })).not.toHaveProperty('enabled');
});

test('a client whose service account is disabled is, and that is noted', () => {
  const users = [
    { username: 'person', enabled: false },
    { username: 'service-account-a', serviceAccountClientId: 'a', enabled: false },
  ];
  const { clients, notes } = one({}, { users });
  expect(clients).toMatchObject([{ client_id: 'a', enabled: false }]);
  expect(notes).toContain('its service account is disabled, and so it is here');
  expect(record({}, { users: users.slice(0, 1) })).not.toHaveProperty('enabled');
});

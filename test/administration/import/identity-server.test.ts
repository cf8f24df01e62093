import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../../../src/administration/import/draft.ts';
import { readIdentityServer } from '../../../src/administration/import/identity-server/identity-server.ts';
import { importedClients } from '../../support/imported-clients.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const imported = (text: string) => importedClients(readIdentityServer(text, now), now);
const file = readFileSync(join(import.meta.dirname, 'files/appsettings.json.txt'), 'utf8');

const name = { Type: 'X509Name', Value: 'CN=a' };
const sound = { ClientId: 'a', AllowedGrantTypes: ['client_credentials'], ClientSecrets: [name] };
/** One client with these properties, or others than the sound ones, among these sections. */
const one = (more: object, sections: object = {}) =>
  imported(JSON.stringify({ Clients: [{ ...sound, ...more }], ...sections }));
const record = (more: object, sections?: object) => one(more, sections).clients[0] ?? {};

describe('a whole configuration', () => {
  const { clients, notes, remarks, leftOut, yaml } = imported(file);

  test('becomes records', () => {
    expect(clients).toEqual([
      {
        client_id: 'billing',
        client_name: 'Billing',
        client_uri: 'https://wiki.example/billing',
        client_secrets: [
          {
            type: 'X509Name',
            value: 'CN=billing, OU=production, O="Company, Inc."',
            description: "the company's CA",
            expiration: '2036-01-31T12:30:00Z',
          },
        ],
        scope: 'invoices.read invoices.write',
        audience: {
          'invoices.read': ['https://invoices.example', 'https://reports.example'],
          'invoices.write': ['https://invoices.example'],
        },
        access_token_lifetime: 900,
        access_token_scope_claim: 'array',
        claims: { client_tenant: 7, client_role: ['writer', 'reader'] },
      },
      {
        client_id: 'sensor-7',
        client_secrets: [
          {
            type: 'X509Thumbprint',
            value: 'BCA0D040847F843C5EE0FA6EB494837470155868',
            expiration: '2036-01-31T00:00:00Z',
          },
        ],
        scope: 'stock',
        access_token_scope_claim: 'array',
        claims: { line: 'north # 7' },
      },
      {
        client_id: 'both',
        client_secrets: [{ type: 'X509Name', value: 'CN=both' }],
        scope: 'stock',
        access_token_lifetime: 86_400,
        access_token_scope_claim: 'array',
      },
    ]);
  });

  test('is told what it loses', () => {
    expect(notes).toEqual([
      'the API resource "https://reports.example" is in each token of its scopes, also where no request names it',
      'the secret number 2 of type X509Thumbprint is left out: it has ended at 2020-01-31T00:00:00Z',
      expect.stringContaining('client_secrets[0].value is a SHA-1 thumbprint'),
      'the secret number 3 of type SharedSecret is left out: only certificates authenticate here',
      'AccessTokenLifetime 2592000 is beyond 10 to 86400 seconds; it became 86400',
      'AllowOfflineAccess true: has no equivalent',
      'AccessTokenType Reference: every access token is a JWT',
      'the secret "shared" of type SharedSecret is left out: only certificates authenticate here',
    ]);
    expect(remarks).toContain('Description: Writes the invoices');
    expect(remarks).toContain('the scopes openid, employee are those of users: no client gets them');
  });

  test('leaves out who has no certificate or no client credentials, and says so', () => {
    expect(Object.entries(leftOut)).toEqual([
      ['both', expect.stringContaining('by name and by thumbprint')],
      ['web', 'its grants are authorization_code'],
      ['batch', expect.stringContaining('no secret of type X509Name or X509Thumbprint')],
    ]);
    expect(yaml).toContain('\n  # - client_id: batch\n  #   scope: stock\n');
    expect(yaml).toContain('\n  #     - type: X509Thumbprint\n');
  });

  test('tells no shared secret', () => {
    expect(yaml).not.toContain('K7gNU3sdo');
  });
});

describe('clients are found', () => {
  test.each<[string, unknown]>([
    ['at the top', { Clients: [sound] }],
    ['in IdentityServer', { IdentityServer: { Clients: [sound] } }],
    ['in the only other section that has some', { Logging: {}, IdentityServerData: { Clients: [sound] } }],
    ['in IdentityServer before others', { Other: { Clients: [] }, identityServer: { clients: [sound] } }],
    ['as a list', [sound]],
    ['by keys', { Clients: { 'the first': sound } }],
    ['by numbers', { Clients: { 0: sound } }],
    [
      'with members in any case, and lists by keys',
      { CLIENTS: [{ clientID: 'a', allowedGrantTypes: { 0: 'client_credentials' }, CLIENTSECRETS: { 0: name } }] },
    ],
  ])('%s', (_, configuration) => {
    expect(imported(JSON.stringify(configuration)).clients).toMatchObject([{ client_id: 'a' }]);
  });

  test.each<[string, string, string]>([
    ['what is not JSON', 'Clients: []', 'not JSON'],
    ['a configuration without any', '{"IdentityServer": {}}', 'has no Clients'],
    ['a text', '"Clients"', 'has no Clients'],
    ['two sections', '{"A": {"Clients": []}, "B": {"Clients": []}}', 'several sections have Clients: a, b'],
  ])('never in %s', (_, text, message) => {
    expect(() => imported(text)).toThrow(ImportError);
    expect(() => imported(text)).toThrow(message);
  });

  test('nowhere, and that is a file without clients', () => {
    expect(imported('{"Clients": []}').clients).toEqual([]);
  });
});

describe('a property', () => {
  test.each<[string, object, object]>([
    ['ClientName', { ClientName: 'A' }, { client_name: 'A' }],
    ['ClientUri', { ClientUri: 'https://a' }, { client_uri: 'https://a' }],
    ['Enabled', { Enabled: false }, { enabled: false }],
    ['Enabled, as text', { Enabled: 'False' }, { enabled: false }],
    ['AllowedScopes', { AllowedScopes: ['x', 'y', 'x'] }, { scope: 'x y' }],
    ['AccessTokenLifetime, as text', { AccessTokenLifetime: '60' }, { access_token_lifetime: 60 }],
    ['what is at its default', { RequirePkce: true, AccessTokenType: 'Jwt', RedirectUris: [], LogoUri: null }, {}],
    ['defaults as numbers and texts', { AccessTokenType: 0, requirepkce: 'True', RefreshTokenUsage: 1 }, {}],
  ])('%s is carried over without a note', (_, more, expected) => {
    const { clients, notes } = one(more);
    const usual = {
      client_id: 'a',
      client_secrets: [{ type: 'X509Name', value: 'CN=a' }],
      access_token_scope_claim: 'array',
    };
    expect(clients).toEqual([{ ...usual, ...expected }]);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      'RedirectUris',
      { RedirectUris: ['https://a', 'https://b'] },
      'RedirectUris https://a, https://b: has no equivalent',
    ],
    ['RequirePkce', { requirePkce: false }, 'requirePkce false: has no equivalent'],
    ['RequireClientSecret', { RequireClientSecret: false }, 'the certificate is asked for in any case'],
    [
      'another grant',
      { AllowedGrantTypes: ['client_credentials', 'password'] },
      'the grants password have no equivalent',
    ],
    ['one that is unknown, without its value', { ApiKey: 'k3y' }, 'ApiKey: has no equivalent'],
    ['Properties, without their values', { Properties: { key: 'k3y' } }, 'Properties: has no equivalent'],
    ['a lifetime too long', { AccessTokenLifetime: 100_000 }, 'it became 86400'],
    ['a lifetime too short', { AccessTokenLifetime: 5 }, 'it became 10'],
    ['a lifetime that is none', { AccessTokenLifetime: '1.00:00:00' }, 'is not a number of seconds'],
    ['a lifetime of spaces', { AccessTokenLifetime: ' ' }, 'is not a number of seconds'],
    ['a scope with a space', { AllowedScopes: ['x y'] }, 'the scope "x y" is left out'],
    ['a JWK', { ClientSecrets: [name, { Type: 'JWK', Value: 'k3y' }] }, 'the secret number 2 of type JWK is left out'],
  ])('%s is noted', (_, more, note) => {
    const { clients, notes, yaml } = one(more);
    expect(clients).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining(note)]);
    expect(yaml).toContain(`  # note: ${notes[0]}`);
    expect(yaml).not.toContain('k3y');
  });

  test('Expiration is an instant, as .NET means it', () => {
    const endOf = (Expiration: unknown) => record({ ClientSecrets: [{ ...name, Expiration }] }).client_secrets;
    const rows = [
      ['2036-01-31', '2036-01-31T00:00:00Z'],
      ['2036-01-31T12:30', '2036-01-31T12:30:00Z'],
      ['2036-01-31 12:30:15', '2036-01-31T12:30:15Z'],
      ['2036-01-31T12:30:15.1234567Z', '2036-01-31T12:30:15Z'],
      ['2036-01-31T12:30:15+02:00', '2036-01-31T10:30:15Z'],
      ['2036-01-31T12:30:15 -0230', '2036-01-31T15:00:15Z'],
    ];
    for (const [written, expiration] of rows) expect(endOf(written)).toMatchObject([{ expiration }]);
    expect(endOf(null)).toEqual([{ type: 'X509Name', value: 'CN=a' }]);
  });

  test('AllowedScopes that no request can name are in no record', () => {
    expect(record({ AllowedScopes: ['x y', 'z', ''] })).toMatchObject({ scope: 'z' });
  });

  test('the scope claim is a text where IdentityServer makes it one', () => {
    const option = { EmitScopesAsSpaceDelimitedStringInJwt: true };
    expect(record({}, option)).not.toHaveProperty('access_token_scope_claim');
  });

  test('ApiResources are audiences by scope: enabled ones, of scopes that the client has', () => {
    const ApiResources = [
      { Name: 'one', Scopes: ['x', { Name: 'y' }] },
      { Name: 'two', Scopes: { 0: 'y' } },
      { Name: 'off', Enabled: 'false', Scopes: ['x'] },
      { Scopes: ['x'] },
    ];
    expect(record({ AllowedScopes: ['x', 'y', 'z'] }, { ApiResources }).audience).toEqual({
      x: ['one'],
      y: ['one', 'two'],
    });
    expect(record({ AllowedScopes: ['z'] }, { ApiResources }).audience).toBeUndefined();
  });
});

describe('what the old server would not take', () => {
  test.each([
    ['a client of another protocol', { ProtocolType: 'wsfed' }, 'its protocol is wsfed'],
    ['a client of none', { ProtocolType: '' }, 'its protocol is empty'],
  ])('%s is left out', (_, more, why) => {
    const { clients, leftOut } = one(more);
    expect([clients, Object.values(leftOut)]).toEqual([[], [expect.stringContaining(why)]]);
  });

  test.each([
    [
      'names that differ in case only',
      { Enabled: false, enabled: true },
      /"Enabled" and "enabled" stand in one object/,
    ],
    ['a flag that is none', { Enabled: 'no' }, /^number 1 of Clients: "Enabled" is "no"; expected true or false/],
    ['a flag that is empty', { Enabled: '' }, /"Enabled" is ""; expected true or false/],
  ])('%s: the file is refused', (_, more, why) => {
    expect(() => one(more)).toThrow(why);
  });
});

describe('ApiScopes', () => {
  const ApiScopes = [
    { Name: 'on' },
    { Name: 'also', Enabled: true },
    { Name: 'off', Enabled: false },
    { Enabled: true },
  ];
  const AllowedScopes = ['on', 'off', 'also', 'missing', 'openid'];

  test('leave out, with a note, what is disabled or missing there', () => {
    const ApiResources = [{ Name: 'api', Scopes: ['on', 'off'] }];
    const { clients, notes } = one({ AllowedScopes }, { ApiScopes, ApiResources });
    expect(clients).toMatchObject([{ scope: 'on also', audience: { on: ['api'] } }]);
    expect(notes).toEqual([
      expect.stringContaining('the scope "off" is left out: it is disabled in ApiScopes'),
      expect.stringContaining('the scope "missing" is left out: it is not among ApiScopes'),
    ]);
  });

  test('may stand elsewhere than in the file', () => {
    const { clients, notes } = one({ AllowedScopes }, {});
    expect(clients).toMatchObject([{ scope: 'on off also missing' }]);
    expect(notes).toEqual([]);
  });

  test('stood in ApiResources before IdentityServer4 v4', () => {
    const ApiResources = [
      { Name: 'on', Scopes: [{ Name: 'on' }, { Name: 'both' }] },
      { Name: 'off', Enabled: false, Scopes: [{ Name: 'off' }, { Name: 'both' }] },
    ];
    const { clients, notes } = one({ AllowedScopes: ['on', 'off', 'both', 'missing'] }, { ApiResources });
    expect(clients).toMatchObject([{ scope: 'on both' }]);
    expect(notes).toEqual([
      expect.stringContaining('the scope "off" is left out: it is disabled in the scopes of ApiResources'),
      expect.stringContaining('the scope "missing" is left out: it is not among the scopes of ApiResources'),
    ]);
  });

  test('may be texts', () => {
    expect(one({ AllowedScopes }, { ApiScopes: ['on'] }).clients).toMatchObject([{ scope: 'on' }]);
  });

  test.each([[[]], [{}], [null], [[{ Enabled: true }]]])('that are none (%j) leave no scope', (none) => {
    const { clients, notes } = one({ AllowedScopes: ['on'] }, { ApiScopes: none });
    expect(clients?.[0]).not.toHaveProperty('scope');
    expect(notes).toEqual([expect.stringContaining('the scope "on" is left out: it is not among ApiScopes')]);
  });
});

describe('Claims', () => {
  const claim = (Value: unknown, ValueType?: string) => ({ Type: 't', Value, ...(ValueType && { ValueType }) });
  const schema = 'http://www.w3.org/2001/XMLSchema#';

  test.each<[string, object, object]>([
    ['a text', claim('7'), { client_t: '7' }],
    ['a number', claim('7', `${schema}integer`), { client_t: 7 }],
    ['a negative number', claim('-7', `${schema}integer64`), { client_t: -7 }],
    ['a number that is none', claim('seven', `${schema}integer32`), { client_t: 'seven' }],
    [
      'a number beyond what is exact',
      claim('9007199254740993', `${schema}integer64`),
      { client_t: '9007199254740993' },
    ],
    ['a fraction', claim('0.5', `${schema}double`), { client_t: 0.5 }],
    ['a flag', claim('True', `${schema}boolean`), { client_t: true }],
    ['a flag that is none', claim('constructor', `${schema}boolean`), { client_t: 'constructor' }],
    ['JSON', claim('{"a": [1]}', 'json'), { client_t: { a: [1] } }],
    ['JSON that is none', claim('{', 'json'), { client_t: '{' }],
    ['another type', claim('2036-01-31', `${schema}date`), { client_t: '2036-01-31' }],
    ['a type that is a name of objects', claim('x', '#constructor'), { client_t: 'x' }],
  ])('may be %s', (_, entry, claims) => {
    expect(record({ Claims: [entry] }).claims).toEqual(claims);
  });

  test.each<[unknown, string]>([
    [undefined, 'client_t'],
    ['app_', 'app_t'],
    ['', 't'],
    [null, 't'],
  ])('with the prefix %j are named %s', (ClientClaimsPrefix, expected) => {
    expect(record({ Claims: [claim('x')], ClientClaimsPrefix }).claims).toEqual({ [expected]: 'x' });
  });

  test.each<[string, object, string]>([
    [
      'that the server sets',
      { Type: 'id', Value: 'x' },
      'the claim client_id is left out: the server sets that claim itself',
    ],
    ['without a type', { Value: 'x' }, 'the claim number 1 is left out: it has no Type'],
  ])('%s are left out', (_, entry, note) => {
    expect(one({ Claims: [entry] }).notes).toEqual([note]);
    expect(record({ Claims: [entry] })).not.toHaveProperty('claims');
  });
});

describe('a client is left out, and why is said, when', () => {
  test.each<[string, object, string, string]>([
    ['it has no ClientId', { ClientId: undefined, Profile: 'SPA' }, '(number 1 of Clients)', 'it has no ClientId'],
    ['it has no grants', { AllowedGrantTypes: undefined }, 'a', 'its grants are none'],
    ['it has no secrets', { ClientSecrets: [] }, 'a', 'it has no secret of type X509Name'],
    [
      'all have ended',
      { ClientSecrets: [{ ...name, Expiration: '2026-11-21' }] },
      'a',
      'it has no secret of type X509Name',
    ],
    [
      'an end is not understood',
      { ClientSecrets: [{ ...name, Expiration: '31/01/2036' }] },
      'a',
      'client_secrets[0].expiration',
    ],
    ['a name is none', { ClientSecrets: [{ ...name, Value: 'billing' }] }, 'a', 'client_secrets[0].value'],
    ['a secret is empty', { ClientSecrets: [{ Type: 'X509Name' }] }, 'a', 'client_secrets[0].value is missing'],
    ['it has two names', { ClientSecrets: [name, { ...name, Value: 'CN=b' }] }, 'a', 'exactly one subject value'],
    ['its ClientId is impossible', { ClientId: 'ä' }, 'ä', 'client_id expected 1 to 255 printable ASCII'],
  ])('%s', (_, more, label, why) => {
    const { clients, leftOut, yaml } = one(more);
    expect(clients).toEqual([]);
    expect(leftOut).toEqual({ [label]: expect.stringContaining(why) });
    expect(yaml).toContain(`  # LEFT OUT: ${label}: `);
  });

  test('another one has its ClientId', () => {
    const { clients, leftOut } = imported(JSON.stringify([sound, { ...sound, ClientName: 'second' }]));
    expect([clients.length, leftOut]).toEqual([1, { a: 'another client above has this client_id' }]);
  });

  test('it is no object', () => {
    const { clients, leftOut } = imported('[null, "a", [], 7]');
    expect([clients.length, Object.keys(leftOut).length]).toEqual([0, 4]);
  });
});

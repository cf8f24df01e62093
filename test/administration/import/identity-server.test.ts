import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../../../src/administration/import/draft.ts';
import { CSharpError } from '../../../src/administration/import/identity-server/csharp.ts';
import { summarizeImport } from '../../../src/administration/import/summary.ts';
import { validateDrafts } from '../../../src/administration/import/validate-drafts.ts';
import { importedClients, readIdentityServer } from '../../support/imported-clients.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const imported = (text: string) => importedClients(readIdentityServer(text, now), now);
const file = readFileSync(join(import.meta.dirname, 'files/appsettings.json.txt'), 'utf8');

const name = { Type: 'X509Name', Value: 'CN=a' };
const validClient = {
  ClientId: 'a',
  AllowedGrantTypes: ['client_credentials'],
  AllowedScopes: ['x'],
  ClientSecrets: [name],
};
const api = { Name: 'https://api.example', Scopes: ['x', 'y', 'z', 'on', 'off', 'also', 'both'] };
/** Imports one valid client with these properties changed, beside these sections. */
const one = (more: object, sections: object = {}) =>
  imported(JSON.stringify({ Clients: [{ ...validClient, ...more }], ApiResources: [api], ...sections }));
const record = (more: object, sections?: object) => one(more, sections).clients[0] ?? {};

describe('an IdentityServer configuration file', () => {
  const { clients, notes, remarks, skipped, yaml } = imported(file);

  test('becomes client records', () => {
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
          'invoices.read': ['https://invoices.example'],
          'invoices.write': ['https://invoices.example'],
        },
        isolated_audience: { 'invoices.read': ['https://reports.example'] },
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
        client_secrets: [
          { type: 'X509Thumbprint', value: 'BCA0D040847F843C5EE0FA6EB494837470155868' },
          { type: 'X509Name', value: 'CN=both' },
        ],
        scope: 'stock',
        access_token_lifetime: 86_400,
        access_token_scope_claim: 'array',
      },
    ]);
  });

  test('gets a note for everything that is lost', () => {
    const noAudience = 'no API resource has stock, so its tokens have no aud in IdentityServer; here it is the issuer';
    expect(notes).toEqual([
      noAudience,
      expect.stringContaining('client_secrets[0].value: is a SHA-1 thumbprint'),
      'ClientSecrets[2] (SharedSecret) was not imported: clients authenticate with certificates only',
      noAudience,
      'AccessTokenLifetime 2592000 is not between 10 and 86400 seconds: changed to 86400',
      'AccessTokenType Reference: its access tokens are JWTs here',
      expect.stringContaining('client_secrets[0].value: is a SHA-1 thumbprint'),
      'the secret "shared" (SharedSecret) was not imported: clients authenticate with certificates only',
      noAudience,
    ]);
    expect(remarks).toContain('Description: Writes the invoices');
    expect(remarks).toContain('identity scopes are for users and were not imported: openid, employee');
    expect(remarks).toContain('clientsecrets[1] (X509Thumbprint) was not imported: it expired at 2020-01-31T00:00:00Z');
  });

  test('skips clients without a certificate or the client credentials grant, with the reason', () => {
    expect(Object.entries(skipped)).toEqual([
      ['web', 'AllowedGrantTypes does not contain client_credentials: authorization_code'],
      ['batch', expect.stringContaining('no unexpired secret of type X509Name or X509Thumbprint')],
    ]);
    expect(yaml).toContain('\n  # - client_id: batch\n  #   scope: stock\n');
  });

  test('keeps shared secrets out of the records and notes', () => {
    expect(yaml).not.toContain('K7gNU3sdo');
  });
});

describe('C# is rejected with the lines that write its clients as JSON', () => {
  test.each([
    [
      'properties, as in the templates of Duende',
      'using Duende.IdentityServer.Models;\n\nnamespace Server;\n\npublic static class Config\n{\n' +
        '    public static IEnumerable<IdentityResource> IdentityResources => [new IdentityResources.OpenId()];\n' +
        '    public static IEnumerable<ApiScope> ApiScopes =>\n        [new ApiScope("api1")];\n' +
        '    public static IEnumerable<Client> Clients =>\n        [new Client { ClientId = "a" }];\n}\n',
      ['Clients = Config.Clients,', 'ApiScopes = Config.ApiScopes,', 'IdentityResources = Config.IdentityResources,'],
    ],
    [
      'methods and fields, as in IdentityServer4',
      '\uFEFF// (c) Acme\r\nusing System;\r\nusing IdentityServer4.Models;\r\ninternal static class Clients {\r\n' +
        'public static readonly List<IdentityServer4.Models.Client> All = new();\r\n' +
        'public static ApiResource[] GetApis( ) { return null; } }',
      ['Clients = Clients.All,', 'ApiResources = Clients.GetApis(),'],
    ],
    ['top-level statements', 'using Duende.IdentityServer.Models;\nvar builder = 1;', ['Clients = Config.Clients,']],
  ])('for %s', (_, text, members) => {
    let thrown: unknown;
    try {
      readIdentityServer(text, 0);
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof CSharpError)) throw new Error('no CSharpError', { cause: thrown });
    const [first, ...others] = thrown.lines;
    expect(first).toMatch(/^File\.WriteAllText\("clients\.json", /);
    expect(others).toEqual(['{', ...members.map((member) => `    ${member}`), '}));']);
  });

  test('but not JSON that mentions C#', () => {
    const json = '// using Duende.IdentityServer.Models;\n{"Clients": [{"ClientId": "public static class Config"}]}';
    expect(readIdentityServer(json, 0).drafts).toHaveLength(1);
  });
});

describe('IdentityServer clients are found', () => {
  test.each<[string, unknown]>([
    ['at the top', { Clients: [validClient] }],
    ['in the section IdentityServer', { IdentityServer: { Clients: [validClient] } }],
    ['in the only other section with Clients', { Logging: {}, IdentityServerData: { Clients: [validClient] } }],
    [
      'in the section IdentityServer before others',
      { Other: { Clients: [] }, identityServer: { clients: [validClient] } },
    ],
    ['as a list', [validClient]],
    ['in a nested section', { Auth: { Server: { IdentityServer: { Clients: [validClient] } } } }],
    [
      'in names with colons',
      {
        'IdentityServer:Clients:0': { ...validClient, ClientSecrets: undefined, ClientId: undefined },
        'identityserver:clients:0:ClientId': 'a',
        IdentityServer: { Clients: [{ 'ClientSecrets:0:Type': 'X509Name', 'ClientSecrets:0:Value': 'CN=a' }] },
      },
    ],
    ['in an object with names as keys', { Clients: { 'the first': validClient } }],
    ['in an object with numbers as keys', { Clients: { 0: validClient } }],
    [
      'with names in any case and lists as objects',
      { CLIENTS: [{ clientID: 'a', allowedGrantTypes: { 0: 'client_credentials' }, CLIENTSECRETS: { 0: name } }] },
    ],
  ])('%s', (_, configuration) => {
    expect(imported(JSON.stringify(configuration)).clients).toMatchObject([{ client_id: 'a' }]);
  });

  test.each<[string, string, string]>([
    ['a file that is not JSON', 'Clients: []', 'invalid JSON'],
    ['a configuration without Clients', '{"IdentityServer": {}}', 'no Clients found'],
    ['a string', '"Clients"', 'no Clients found'],
    ['Clients that are not a list', '{"Clients": "a"}', 'Clients is not a list'],
    [
      'two sections with Clients',
      '{"A": {"Clients": []}, "B": {"Clients": []}}',
      'more than one section has Clients: a, b',
    ],
    [
      'two values of one name',
      '{"Clients:0:ClientId": "a", "clients": [{"clientid": "b"}]}',
      'two values of "clients:0:clientid"',
    ],
    ['a name with many colons', `{"${'a:'.repeat(100_000)}": 1}`, 'nested deeper than 64 levels'],
  ])('is rejected: %s', (_, text, message) => {
    expect(() => imported(text)).toThrow(ImportError);
    expect(() => imported(text)).toThrow(message);
  });

  test('nowhere if Clients is empty', () => {
    expect(imported('{"Clients": []}').clients).toEqual([]);
  });
});

describe('an IdentityServer client property', () => {
  test.each<[string, object, object]>([
    ['ClientName', { ClientName: 'A' }, { client_name: 'A' }],
    ['ClientUri', { ClientUri: 'https://a' }, { client_uri: 'https://a' }],
    ['Enabled', { Enabled: false }, { enabled: false }],
    ['Enabled as a string', { Enabled: 'False' }, { enabled: false }],
    ['Enabled as a number', { Enabled: 0 }, { enabled: false }],
    ['AllowedScopes', { AllowedScopes: ['x', 'x'] }, {}],
    ['AccessTokenLifetime as a string', { AccessTokenLifetime: ' 60' }, { access_token_lifetime: 60 }],
    ['AccessTokenLifetime in hex', { AccessTokenLifetime: '0x3C' }, { access_token_lifetime: 60 }],
    ['a default value', { AccessTokenType: 'jwt', IncludeJwtId: 'True', RequireClientSecret: 1 }, {}],
    ['a default value as a number', { AccessTokenType: 0 }, {}],
    ['an empty value of a type that has none', { ConsentLifetime: '', CoordinateLifetimeWithUserSession: '' }, {}],
    ['what concerns users', { RedirectUris: ['https://a'], requirepkce: false, AllowOfflineAccess: true }, {}],
    ['Properties', { Properties: { key: 'k3y' } }, {}],
  ])('%s is imported without a note', (_, more, expected) => {
    const { clients, notes } = one(more);
    const base = {
      client_id: 'a',
      client_secrets: [{ type: 'X509Name', value: 'CN=a' }],
      scope: 'x',
      audience: { x: ['https://api.example'] },
      access_token_scope_claim: 'array',
    };
    expect(clients).toEqual([{ ...base, ...expected }]);
    expect(notes).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['RequireClientSecret', { RequireClientSecret: false }, 'here its own is required'],
    [
      'another grant type',
      { AllowedGrantTypes: ['client_credentials', 'password'] },
      'the grant types password were not imported',
    ],
    ['an unknown property, without its value,', { ApiKey: 'k3y' }, "IdentityServer's Client has no such property"],
    ['AccessTokenType', { AccessTokenType: 'REFERENCE' }, 'its access tokens are JWTs here'],
    ['AccessTokenType as a number', { AccessTokenType: '1' }, 'its access tokens are JWTs here'],
    ['IncludeJwtId', { IncludeJwtId: 0 }, 'its tokens have a jti here'],
    ['RequireDPoP', { RequireDPoP: true }, 'its tokens are bound to its certificate here'],
    ['a lifetime that is too long', { AccessTokenLifetime: 100_000 }, 'changed to 86400'],
    ['a lifetime that is too short', { AccessTokenLifetime: 5 }, 'changed to 10'],
    ['a scope with a space', { AllowedScopes: ['x', 'x y'] }, 'the scope "x y" was not imported'],
    [
      'a JWK secret',
      { ClientSecrets: [name, { Type: 'JWK', Value: 'k3y' }] },
      'ClientSecrets[1] (JWK) was not imported',
    ],
  ])('%s gets a note', (_, more, note) => {
    const { clients, notes, yaml } = one(more);
    expect(clients).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining(note)]);
    expect(yaml).toContain(`  # note: ${notes[0]}`);
    expect(yaml).not.toContain('k3y');
  });

  test('that is 1 in a file has a remark, since .NET reads it from a database only', () => {
    expect(one({ Enabled: 1, RequirePkce: '0' }).remarks).toContainEqual(
      expect.stringContaining('Enabled, RequirePkce: 1 or 0, as in a database. In a file, .NET rejects such a flag'),
    );
    expect(one({ Enabled: 'True' }).remarks).toEqual([]);
  });

  test('Expiration is parsed as in .NET', () => {
    const expirationOf = (Expiration: unknown) => record({ ClientSecrets: [{ ...name, Expiration }] }).client_secrets;
    const rows = [
      ['2036-01-31', '2036-01-31T00:00:00Z'],
      ['2036-01-31T12:30', '2036-01-31T12:30:00Z'],
      ['2036-01-31 12:30:15', '2036-01-31T12:30:15Z'],
      ['2036-01-31T12:30:15.1234567Z', '2036-01-31T12:30:15.123Z'],
      ['2036-01-31T12:30:15+02:00', '2036-01-31T10:30:15Z'],
      ['2036-01-31T12:30:15 -0230', '2036-01-31T15:00:15Z'],
      ['2036-01-31+02:00', '2036-01-30T22:00:00Z'],
      ['12/31/2036', '2036-12-31T00:00:00Z'],
      ['1-2-2036 1:02:03 pm', '2036-01-02T13:02:03Z'],
      ['2036/1/2 12:00 AM', '2036-01-02T00:00:00Z'],
      ['31 Dec 2036', '2036-12-31T00:00:00Z'],
      ['Dec 2036', '2036-12-01T00:00:00Z'],
      ['12/2036', '2036-12-01T00:00:00Z'],
      ['2036.12.31', '2036-12-31T00:00:00Z'],
      ['31 December 2036', '2036-12-31T00:00:00Z'],
      ['December 31, 2036', '2036-12-31T00:00:00Z'],
      ['31-DEC-2036 10 AM', '2036-12-31T10:00:00Z'],
      ['2036-12-31, Wed', '2036-12-31T00:00:00Z'],
      ['2036 Dec 31 0:30 PM +1:30', '2036-12-31T11:00:00Z'],
      ['2036-12-31 10:00:00Z', '2036-12-31T10:00:00Z'],
      ['2036-12-31 1:2 pm', '2036-12-31T13:02:00Z'],
      ['December 31, 2036 23:59', '2036-12-31T23:59:00Z'],
      ['Wed, 31 Dec 2036 10:00:00 GMT', '2036-12-31T10:00:00Z'],
    ];
    for (const [written, expiration] of rows) expect(expirationOf(written)).toMatchObject([{ expiration }]);
    expect(expirationOf(null)).toEqual([{ type: 'X509Name', value: 'CN=a' }]);
    expect(expirationOf('')).toEqual([{ type: 'X509Name', value: 'CN=a' }]);
  });

  test.each([
    '31/12/2036',
    '2036-02-30',
    '12/31/36',
    '2036',
    '12:00',
    'Thu, 31 Dec 2036',
    '2036-01-31 25:00',
    '2036-01-31 10:00:00,5',
    '2036-01-31 10:00.5',
    '2036-01-31T9:00:00',
    '2036-01-31T10 AM',
    '2036-01-31T10:00 GMT',
    '2036-01-31 13:00 AM',
    '2036-01-31 10:00 +14:01',
    'Dec 2036 10:00',
    '31st December 2036',
    '20361231',
    ' ',
    'soon',
  ])('Expiration %j cannot be read, so its secret is ignored as in .NET', (Expiration) => {
    const secrets = [
      { ...name, Expiration },
      { ...name, Value: 'CN=b' },
    ];
    const { clients, notes } = one({ ClientSecrets: secrets });
    expect(clients).toMatchObject([{ client_secrets: [{ type: 'X509Name', value: 'CN=b' }] }]);
    expect(notes).toEqual([expect.stringContaining(`ClientSecrets[0] (X509Name) was not imported: "Expiration" is`)]);
  });

  test.each([
    ['12/31/36', 'the century of a year with two digits depends on the version of .NET'],
    ['31 Dec', 'a date without a year changes its meaning every year'],
  ])('Expiration %j cannot be read, and the note states why', (Expiration, reason) => {
    const { notes } = one({ ClientSecrets: [{ ...name, Expiration }, name, { ...name, Value: 'CN=b' }] });
    expect(notes.join()).toContain(reason);
  });

  test('AllowedScopes omits names that are not scope tokens', () => {
    expect(record({ AllowedScopes: ['x y', 'z', ''] })).toMatchObject({ scope: 'z' });
  });

  test('EmitScopesAsSpaceDelimitedStringInJwt makes the scope claim a string', () => {
    const option = { EmitScopesAsSpaceDelimitedStringInJwt: true };
    expect(record({}, option)).not.toHaveProperty('access_token_scope_claim');
  });

  test('ApiResources become audiences by scope if enabled and if the client has the scope', () => {
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

describe('what IdentityServer rejects', () => {
  test.each([
    ['a client of another protocol', { ProtocolType: 'wsfed' }, 'ProtocolType is wsfed'],
    ['a client with an empty protocol', { ProtocolType: '' }, 'ProtocolType is empty'],
    ['a client without a protocol', { ProtocolType: null }, 'ProtocolType is empty'],
  ])('%s is skipped', (_, more, reason) => {
    const { clients, skipped } = one(more);
    expect([clients, Object.values(skipped)]).toEqual([[], [expect.stringContaining(reason)]]);
  });

  test.each([
    [
      'names that differ only in case',
      { Enabled: false, enabled: true },
      '"Enabled" and "enabled" in one object differ only in case',
    ],
    ['an invalid Boolean', { Enabled: 'no' }, '"Enabled" is "no"; expected true or false'],
    ['an empty Boolean', { Enabled: '' }, '"Enabled" is ""; expected true or false'],
    ['a lifetime that is not an integer', { AccessTokenLifetime: '1.00:00:00' }, 'expected an integer'],
    ['a lifetime with a fraction', { AccessTokenLifetime: '60.0' }, 'expected an integer'],
    ['a lifetime of spaces', { AccessTokenLifetime: ' ' }, 'expected an integer'],
    ['a lifetime that is too large', { AccessTokenLifetime: 2 ** 31 }, 'expected an integer'],
    ['an unknown token type', { AccessTokenType: 'Opaque' }, 'expected Jwt or Reference'],
    ['an invalid flag of users', { RequirePkce: 'no' }, '"RequirePkce" is "no"; expected true or false'],
    ['an invalid lifetime of users', { ConsentLifetime: 'long' }, '"ConsentLifetime" is "long"; expected an integer'],
    ['an unknown usage', { RefreshTokenUsage: 'Once' }, 'expected ReUse or OneTimeOnly'],
  ])('%s: the client alone is skipped', (_, more, reason) => {
    const Clients = [{ ...validClient, ClientId: 'broken', ...more }, validClient];
    const { clients, skipped } = imported(JSON.stringify({ Clients }));
    expect(clients).toMatchObject([{ client_id: 'a' }]);
    expect(Object.values(skipped)).toEqual([expect.stringContaining(reason)]);
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

  test('excludes disabled and missing scopes, with a note', () => {
    const { clients, notes, remarks } = one({ AllowedScopes }, { ApiScopes });
    expect(clients).toMatchObject([{ scope: 'also on' }]);
    expect(notes).toEqual([expect.stringContaining('scopes that are disabled in ApiScopes were not imported: off')]);
    expect(remarks).toContain('scopes that are missing in ApiScopes, and never granted, were not imported: missing');
  });

  test('that are all disabled have no note about the other scopes', () => {
    const { notes, remarks } = one({ AllowedScopes: ['off'] }, { ApiScopes });
    expect(notes).toEqual([expect.stringContaining('never worked there: AllowedScopes has no scope of an API')]);
    expect(remarks).toContain('scopes that are disabled in ApiScopes were not imported: off');
  });

  test('may have the names of OpenID Connect, which are then scopes of APIs', () => {
    const sections = { ApiScopes: [{ Name: 'email' }, { Name: 'x' }], IdentityResources: [{ Name: 'openid' }] };
    const { clients, notes } = one({ AllowedScopes: ['x', 'email', 'openid', 'profile'] }, sections);
    expect(clients).toMatchObject([{ scope: 'email x' }]);
    expect(notes).toEqual([expect.stringContaining('no API resource has email')]);
  });

  test('excludes names that are identity scopes as well, with a note', () => {
    const sections = { ApiScopes: [{ Name: 'email' }, { Name: 'x' }], IdentityResources: [{ Name: 'email' }] };
    const { clients, notes } = one({ AllowedScopes: ['x', 'email'] }, sections);
    expect(clients).toMatchObject([{ scope: 'x' }]);
    expect(notes).toEqual([
      expect.stringContaining('both in ApiScopes and in IdentityResources were not imported: email'),
    ]);
  });

  test('excludes a scope with a value that .NET cannot read, which is none there either', () => {
    const { clients, notes } = one({ AllowedScopes: ['x', 'y'] }, { ApiScopes: ['x', { Name: 'y', Required: 'no' }] });
    expect(clients).toMatchObject([{ scope: 'x' }]);
    expect(notes).toEqual([expect.stringContaining('ApiScopes[1] was not imported: "Required" is "no"')]);
  });

  test('are granted in the order of IdentityServer', () => {
    const { clients } = one({ AllowedScopes: ['b', 'B', 'a.c', 'ab', 'A', 'a'] }, {});
    expect(clients).toMatchObject([{ scope: 'a A a.c ab b B' }]);
  });

  test('may be missing in the file, and then excludes no scope', () => {
    const { clients, notes } = one({ AllowedScopes: ['on', 'off', 'openid'] }, {});
    expect(clients).toMatchObject([{ scope: 'off on' }]);
    expect(notes).toEqual([]);
  });

  test('is read from ApiResources of IdentityServer4 before v4', () => {
    const ApiResources = [
      { Name: 'on', Scopes: [{ Name: 'on' }, { Name: 'both' }] },
      { Name: 'off', Enabled: false, Scopes: [{ Name: 'off' }, { Name: 'both' }] },
    ];
    const { clients, notes } = one({ AllowedScopes: ['on', 'off', 'both', 'missing'] }, { ApiResources });
    expect(clients).toMatchObject([{ scope: 'both on' }]);
    expect(notes).toEqual([expect.stringContaining('disabled in the scopes of ApiResources were not imported: off')]);
  });

  test('may be a list of strings', () => {
    expect(one({ AllowedScopes }, { ApiScopes: ['on'] }).clients).toMatchObject([{ scope: 'on' }]);
  });

  test.each([[[]], [{}], [null], [[{ Enabled: true }]]])('without a name (%j) excludes every scope', (none) => {
    const { clients, notes } = one({ AllowedScopes: ['on'] }, { ApiScopes: none });
    expect(clients?.[0]).not.toHaveProperty('scope');
    expect(notes).toEqual([expect.stringContaining('never worked there: AllowedScopes has no scope of an API')]);
  });
});

describe('the aud of an imported client', () => {
  const audienceOf = (sections: object) => record({}, sections).audience;

  test.each([
    [
      { EmitStaticAudienceClaim: true, IssuerUri: 'https://id.example' },
      ['https://api.example', 'https://id.example/resources'],
    ],
    [
      { EmitLegacyResourceAudienceClaim: 'True', IssuerUri: 'https://id.example/' },
      ['https://api.example', 'https://id.example/resources'],
    ],
    [{ EmitStaticAudienceClaim: true }, ['https://api.example']],
    [
      { ApiResources: [], EmitStaticAudienceClaim: 1, IssuerUri: 'https://id.example' },
      ['https://id.example/resources'],
    ],
    [
      {
        ApiResources: {
          first: { name: 'one', SCOPES: { 0: 'x' } },
          second: { Name: 'two', Scopes: ['x'], Enabled: 0 },
        },
      },
      ['one'],
    ],
    [
      {
        ApiResources: [
          { ...api, RequireResourceIndicator: 'true' },
          { ...api, Scopes: ['x'] },
        ],
      },
      undefined,
    ],
    [{ ApiResources: [{ ...api, Enabled: 'perhaps' }] }, undefined],
  ])('follows from %j', (sections, audience) => {
    expect(audienceOf(sections)).toEqual(audience && { x: audience });
  });

  test.each([
    ['ISSUER/resources without IssuerUri', { EmitStaticAudienceClaim: true }, 'the file has no IssuerUri'],
    [
      'ISSUER/resources beside an API resource that a request names',
      {
        EmitStaticAudienceClaim: true,
        IssuerUri: 'https://id.example',
        ApiResources: [api, { ...api, Name: 'https://two.example', RequireResourceIndicator: true }],
      },
      'the aud of a request with resource also has ISSUER/resources in IdentityServer',
    ],
    ['no API resources', { ApiResources: [] }, 'no API resource has x, so its tokens have no aud in IdentityServer'],
    [
      'an API resource that cannot be read',
      { ApiResources: [{ ...api, Enabled: 'no' }] },
      'ApiResources[0] was not imported',
    ],
    [
      'a signing algorithm',
      { ApiResources: [{ ...api, AllowedAccessTokenSigningAlgorithms: ['ES256', 'PS256'] }] },
      'requires tokens that are signed with ES256 or PS256',
    ],
    [
      'signing algorithms that contradict each other',
      {
        ApiResources: [
          { ...api, AllowedAccessTokenSigningAlgorithms: ['ES256'] },
          { ...api, Name: 'two', AllowedAccessTokenSigningAlgorithms: ['PS256'] },
        ],
      },
      'require different signing algorithms: IdentityServer gives no token for all of them',
    ],
    ['another type of token', { AccessTokenJwtType: 'at' }, 'the typ of tokens is "at" in IdentityServer'],
    ['the type that .NET adds to tokens', { AccessTokenJwtType: '' }, 'the typ of tokens is "JWT" in IdentityServer'],
    [
      'API resources that a request has to name',
      { ApiResources: [{ ...api, RequireResourceIndicator: true }] },
      'no API resource without RequireResourceIndicator has x, so its tokens have no aud in IdentityServer unless the',
    ],
    [
      'a property that no API resource has',
      { ApiResources: [{ ...api, RequireResourceIndictor: true }] },
      "ApiResources[0]: RequireResourceIndictor was not imported: IdentityServer's ApiResource has no such property",
    ],
    [
      'a property that no API scope has',
      { ApiScopes: { x: { Name: 'x', Enabeld: false } } },
      "ApiScopes.x: Enabeld was not imported: IdentityServer's ApiScope has no such property",
    ],
    ['no token endpoint', { Endpoints: { EnableTokenEndpoint: false } }, 'the token endpoint is switched off'],
  ])('has a note about %s', (_, sections, note) => {
    expect(one({}, sections).notes).toContainEqual(expect.stringContaining(note));
  });
});

describe('a client that IdentityServer rejects is imported with the note that it never worked there:', () => {
  const thumbprint = 'ab'.repeat(20);
  test.each<[string, object, string]>([
    ['a name in RFC 4514', { ClientSecrets: [{ ...name, Value: 'CN=a,O=b' }] }, 'not written as .NET prints it'],
    ['a type in lower case', { ClientSecrets: [{ ...name, Type: 'x509name' }] }, 'its Type is x509name'],
    [
      'a thumbprint with colons',
      { ClientSecrets: [{ Type: 'X509Thumbprint', Value: Array.from({ length: 20 }, () => 'AB').join(':') }] },
      '40 hex digits',
    ],
    [
      'a thumbprint of SHA-256',
      { ClientSecrets: [{ Type: 'X509Thumbprint', Value: 'ab'.repeat(32) }] },
      '40 hex digits',
    ],
    ['no scopes', { AllowedScopes: ['openid'] }, 'AllowedScopes has no scope of an API'],
    ['a long ClientId', { ClientId: 'a'.repeat(101) }, 'longer than 100 characters'],
    ['a lifetime of nothing', { AccessTokenLifetime: 0 }, 'AccessTokenLifetime is 0'],
    [
      'a lifetime of nothing for device codes',
      {
        DeviceCodeLifetime: 0,
        AllowedGrantTypes: ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
      'DeviceCodeLifetime is 0',
    ],
    ['an empty origin', { AllowedCorsOrigins: [''] }, 'which is not an origin'],
    ['an origin that is a number', { AllowedCorsOrigins: [1] }, 'AllowedCorsOrigins has "1", which is not an origin'],
    [
      'a number that .NET does not read',
      { Claims: [{ Type: 't', Value: '0x10', ValueType: 'http://www.w3.org/2001/XMLSchema#double' }] },
      'not a value of its ValueType',
    ],
    ['JSON with a comma too many', { Claims: [{ Type: 't', Value: '[1,]', ValueType: 'json' }] }, 'not a value'],
    [
      'a claim of another type that the server sets itself',
      { Claims: [{ Type: 'sub', Value: 'x', ValueType: 'json' }], ClientClaimsPrefix: '' },
      'the claim sub is not a value of its ValueType',
    ],
    ['no redirect URI', { AllowedGrantTypes: ['client_credentials', 'hybrid'] }, 'RedirectUris is empty'],
    ['a redirect URI of a forbidden scheme', { PostLogoutRedirectUris: ['data:x'] }, 'has a forbidden scheme'],
    ['an origin with a path', { AllowedCorsOrigins: ['https://a.example/'] }, 'which is not an origin'],
    [
      'a claim of another type',
      { Claims: [{ Type: 't', Value: 'x', ValueType: 'json' }] },
      'not a value of its ValueType',
    ],
  ])('%s', (_, more, reason) => {
    const { clients, notes } = one(more);
    expect(clients).toHaveLength(1);
    expect(notes).toContainEqual(
      expect.stringMatching(/^IdentityServer rejects this client, so it never worked there: /),
    );
    expect(notes.join()).toContain(reason);
  });

  test('but a secret that never matched beside one that did is noted alone', () => {
    const { clients, notes } = one({ ClientSecrets: [name, { ...name, Value: 'CN=b,O=c' }] });
    expect(clients).toMatchObject([{ client_secrets: [{ value: 'CN=a' }, { value: 'CN=b, O=c' }] }]);
    expect(notes).toEqual([
      expect.stringContaining('ClientSecrets[1] (X509Name): its name is not written as .NET prints it'),
    ]);
  });

  test('and names that differ in case or spaces are several, since each matched another certificate', () => {
    const secrets = ['CN=a', 'CN=A', 'CN=" a"', 'CN=a'].map((Value) => ({ ...name, Value }));
    const values = secrets.slice(0, 3).map(({ Value }) => ({ value: Value }));
    expect(record({ ClientSecrets: secrets }).client_secrets).toMatchObject(values);
  });

  test('and several secrets of one certificate are one, which ends last', () => {
    const secrets = [
      { Type: 'X509Thumbprint', Value: thumbprint, Expiration: '2031-01-01' },
      { Type: 'X509Thumbprint', Value: thumbprint.toUpperCase(), Expiration: '2032-01-01' },
      // .NET omits it: the type and the value are those of the first.
      { Type: 'X509Thumbprint', Value: thumbprint },
    ];
    expect(record({ ClientSecrets: secrets }).client_secrets).toMatchObject([{ expiration: '2032-01-01T00:00:00Z' }]);
  });
});

test('the summary has each certificate that several clients share, and no other', async () => {
  const secrets = [
    [name],
    [name, { ...name, Value: 'CN=Service' }],
    [{ ...name, Value: 'CN=service' }],
    [{ Type: 'X509Thumbprint', Value: 'ab'.repeat(20) }],
    [{ Type: 'X509Thumbprint', Value: 'AB'.repeat(20), Expiration: '2036-01-31' }],
  ];
  const Clients = secrets.map((ClientSecrets, index) => ({ ...validClient, ClientId: `c${index}`, ClientSecrets }));
  const read = readIdentityServer(JSON.stringify({ Clients, ApiResources: [api] }), now);
  const lines = await summarizeImport({ ...read, drafts: validateDrafts(read.drafts, now) }, now);
  const start = lines.indexOf('Certificates that several clients share, as before:');
  expect(lines.slice(start + 1)).toEqual([
    '  - subject CN=a: c0, c1',
    `  - SHA-1 thumbprint ${'AB'.repeat(20)}: c3, c4`,
  ]);
});

test('options of tokens that the file does not set are named, since code may set them', () => {
  const remarksOf = (sections: object) => one({}, sections).yaml.split('\n').slice(0, 5).join('\n');
  expect(remarksOf({})).toContain('EmitStaticAudienceClaim, AccessTokenJwtType, EmitScopesAsSpaceDelimitedStringInJwt');
  const all = {
    EmitStaticAudienceClaim: false,
    AccessTokenJwtType: 'at+jwt',
    EmitScopesAsSpaceDelimitedStringInJwt: 1,
  };
  expect(remarksOf(all)).not.toContain('count as not set');
});

test('an unknown option is named, and the known ones are not', () => {
  const IdentityServer = { Clients: [validClient], ApiResources: [api], LicenseKey: 'k3y', Certificate: 'k3y' };
  const { yaml } = imported(JSON.stringify({ Logging: {}, IdentityServer }));
  expect(yaml).toContain('# IdentityServer has no options of these names, which were not imported: Certificate\n');
  expect(yaml).not.toContain('k3y');
});

describe('IdentityServer Claims', () => {
  const claim = (Value: unknown, ValueType?: string) => ({ Type: 't', Value, ...(ValueType && { ValueType }) });
  const schema = 'http://www.w3.org/2001/XMLSchema#';

  test.each<[string, object, object]>([
    ['a string', claim('7'), { client_t: '7' }],
    ['a number', claim('7', `${schema}integer`), { client_t: 7 }],
    ['a negative number', claim('-7', `${schema}integer64`), { client_t: -7 }],
    ['a string, although typed as a number', claim('seven', `${schema}integer32`), { client_t: 'seven' }],
    ['a string, for an Int32 that is too large', claim('2147483648', `${schema}integer`), { client_t: '2147483648' }],
    ['a string of a type in another case', claim('7', 'Integer'), { client_t: '7' }],
    [
      'a string, for a number beyond the safe integers',
      claim('9007199254740993', `${schema}integer64`),
      { client_t: '9007199254740993' },
    ],
    ['a fraction', claim('0.5', `${schema}double`), { client_t: 0.5 }],
    ['a fraction with separators', claim('1,000.5', `${schema}double`), { client_t: 1000.5 }],
    ['an empty string', claim(''), { client_t: '' }],
    ['a Boolean of JSON, as .NET writes it', claim(true), { client_t: 'True' }],
    ['a Boolean', claim('True', `${schema}boolean`), { client_t: true }],
    ['a string, although typed as a Boolean', claim('constructor', `${schema}boolean`), { client_t: 'constructor' }],
    ['JSON', claim('{"a": [1]}', 'json'), { client_t: { a: [1] } }],
    ['a string, although typed as JSON', claim('{', 'json'), { client_t: '{' }],
    ['a string of another type', claim('2036-01-31', `${schema}date`), { client_t: '2036-01-31' }],
    ['a string of a type named like an object member', claim('x', '#constructor'), { client_t: 'x' }],
  ])('may be %s', (_, entry, claims) => {
    expect(record({ Claims: [entry] }).claims).toEqual(claims);
  });

  test('without a value, or the same twice, are omitted', () => {
    const claims = [
      { Type: 'none' },
      { Type: 't', Value: 'x' },
      { Type: 't', Value: 'x', ValueType: `${schema}string` },
    ];
    expect(record({ Claims: claims }).claims).toEqual({ client_t: 'x' });
  });

  test('that are numbers of JSON are written as in the file', () => {
    const { clients } = imported(
      JSON.stringify([{ ...validClient, Claims: [claim('NUMBER')] }]).replace('"NUMBER"', '1.50'),
    );
    expect(clients).toMatchObject([{ claims: { client_t: '1.50' } }]);
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
      'the claim client_id was not imported: the server sets this claim itself',
    ],
  ])('%s are not imported', (_, entry, note) => {
    expect(one({ Claims: [entry] }).notes).toEqual([note]);
    expect(record({ Claims: [entry] })).not.toHaveProperty('claims');
  });
});

describe('an IdentityServer client is skipped, with the reason, if', () => {
  test.each<[string, object, string, string]>([
    ['it has no ClientId', { ClientId: undefined, Profile: 'SPA' }, '(Clients[0])', 'ClientId is missing'],
    ['it has no grant types', { AllowedGrantTypes: undefined }, 'a', 'does not contain client_credentials: none'],
    ['it has no secrets', { ClientSecrets: [] }, 'a', 'no unexpired secret of type X509Name'],
    [
      'all its secrets have expired',
      { ClientSecrets: [{ ...name, Expiration: '2026-11-21' }] },
      'a',
      'no unexpired secret of type X509Name',
    ],
    [
      'an expiration is invalid',
      { ClientSecrets: [{ ...name, Expiration: '31/01/2036' }] },
      'a',
      '"Expiration" is "31/01/2036"; expected a date such as 2031-12-31',
    ],
    [
      'an X509Name secret is not a distinguished name',
      { ClientSecrets: [{ ...name, Value: 'billing' }] },
      'a',
      'ClientSecrets[0] (X509Name) was not imported: invalid subject DN',
    ],
    ['a secret is empty', { ClientSecrets: [{ Type: 'X509Name' }] }, 'a', 'was not imported: Value is missing'],
    ['its ClientId is not a valid client_id', { ClientId: 'ä' }, 'ä', 'client_id: expected 1 to 255 printable ASCII'],
  ])('%s', (_, more, label, reason) => {
    const { clients, skipped, yaml } = one(more);
    expect(clients).toEqual([]);
    expect(skipped).toEqual({ [label]: expect.stringContaining(reason) });
    expect(yaml).toContain(`  # SKIPPED: ${label}: `);
  });

  test('an earlier client has the same ClientId', () => {
    const { clients, skipped } = imported(JSON.stringify([validClient, { ...validClient, ClientName: 'second' }]));
    expect([clients.length, skipped]).toEqual([1, { a: 'a client above has the same client_id' }]);
  });

  test('it is not an object', () => {
    const { clients, skipped } = imported('[null, "a", [], 7]');
    expect([clients.length, Object.keys(skipped).length]).toEqual([0, 4]);
  });
});

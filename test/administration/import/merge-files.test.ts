import { describe, expect, test } from 'vitest';
import { ImportError } from '../../../src/administration/import/draft.ts';
import { readConfiguration } from '../../../src/administration/import/identity-server/identity-server.ts';
import type { Json } from '../../../src/clients/json-value.ts';
import { importedClients } from '../../support/imported-clients.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const read = (...roots: Json[]) =>
  readConfiguration(
    roots.map((root, index) => ({ name: `${index}.json`, root })),
    now,
  );
const clientsOf = (...roots: Json[]) => importedClients(read(...roots), now).clients;

const name = { Type: 'X509Name', Value: 'CN=a' };
const client = {
  ClientId: 'a',
  AllowedGrantTypes: ['client_credentials'],
  AllowedScopes: ['x'],
  ClientSecrets: [name],
};
const base = { IdentityServer: { Clients: [client], ApiResources: [{ Name: 'https://api.example', Scopes: ['x'] }] } };

describe('several files of IdentityServer are merged as in .NET:', () => {
  test.each<[string, Json, object]>([
    [
      'a later file replaces a value, whatever the case of its name',
      { identityserver: { CLIENTS: [{ accesstokenlifetime: 60 }] } },
      { client_id: 'a', access_token_lifetime: 60 },
    ],
    ['a name with colons leads to a value', { 'IdentityServer:Clients:0:ClientId': 'b' }, { client_id: 'b' }],
    ['an index as a name is that item', { IdentityServer: { Clients: { 0: { ClientId: 'b' } } } }, { client_id: 'b' }],
    [
      'a list adds items after those of an earlier one only by their index',
      { IdentityServer: { Clients: [{ ClientSecrets: { 1: { ...name, Value: 'CN=b' } } }] } },
      { client_secrets: [{ value: 'CN=a' }, { value: 'CN=b' }] },
    ],
    [
      'a list replaces the first items of an earlier one, and removes none',
      { IdentityServer: { ApiResources: [{ Name: 'https://b.example' }] } },
      { audience: { x: ['https://b.example'] } },
    ],
    ['an empty list removes nothing', { IdentityServer: { Clients: [] } }, { client_id: 'a' }],
    ['null replaces a value', { IdentityServer: { Clients: [{ ClientName: null }] } }, { client_id: 'a' }],
    ['a file without clients has options', { IdentityServer: { EmitScopesAsSpaceDelimitedStringInJwt: true } }, {}],
  ])('%s', (_, later, expected) => {
    expect(clientsOf(base, later)).toMatchObject([expected]);
  });

  test('the last of three files has precedence', () => {
    const lifetimes = [60, 70, 80].map((seconds) => ({ 'IdentityServer:Clients:0:AccessTokenLifetime': seconds }));
    expect(clientsOf(base, ...lifetimes)).toMatchObject([{ access_token_lifetime: 80 }]);
  });

  test('a file replaces nothing in itself', () => {
    const twice = { 'IdentityServer:Clients:0:ClientId': 'b', IdentityServer: { Clients: [{ ClientId: 'c' }] } };
    expect(() => read(base, twice)).toThrow(ImportError);
    expect(() => read(base, twice)).toThrow('two values of "identityserver:clients:0:clientid"');
  });

  test('a remark names what a file replaces, and none what it adds or repeats', () => {
    const remark = (later: Json) => read(base, later).remarks.filter((text) => text.includes('replaces'));
    expect(remark({ 'identityserver:clients:0:ClientId': 'b' })).toEqual([
      '1.json replaces 1 value of the files before it, as in .NET: identityserver:clients:0:ClientId',
    ]);
    const other = { ...client, ClientId: 'b', AllowedScopes: ['y'], ClientSecrets: [{ Type: 'JWK', Value: 'k3y' }] };
    expect(remark({ IdentityServer: { Clients: [other] } })).toEqual([
      expect.stringMatching(/^1\.json replaces 4 values .*: IdentityServer:Clients:0:ClientId, \S+, \S+, …$/),
    ]);
    expect(remark({ IdentityServer: { Clients: [client], EmitStaticAudienceClaim: true } })).toEqual([]);
  });
});

const rows = {
  Clients: [
    {
      Id: 1,
      ClientId: 'a',
      AllowedGrantTypes: [{ GrantType: 'client_credentials' }],
      AllowedScopes: [{ Scope: 'x' }],
      ClientSecrets: [name],
    },
    { Id: 2, ClientId: 'none', AllowedGrantTypes: [], AllowedScopes: [], ClientSecrets: [] },
  ],
};

test('options of a file apply to the clients of a database, or to a list of clients', () => {
  const options = { IdentityServer: { EmitStaticAudienceClaim: true, IssuerUri: 'https://id.example' }, Clients: [] };
  for (const clients of [rows, [client]]) {
    for (const roots of [
      [options, clients],
      [clients, options],
    ])
      expect(clientsOf(...roots)).toMatchObject([
        { client_id: 'a', audience: { x: ['https://id.example/resources'] } },
      ]);
  }
});

// Merged by index, a client would have certificates of another one.
test.each<[string, Json, Json]>([
  ['two lists of clients', [client], [{ ...client, ClientId: 'b' }]],
  ['a list of clients and a configuration', base, [{ ...client, ClientId: 'b' }]],
  ['two databases', rows, rows],
  ['a database and a configuration', { Clients: [{ ...client, ClientId: 'b' }] }, rows],
  ['a database and a section with colons', { 'IdentityServer:Clients:0:ClientId': 'b' }, rows],
])('%s are not merged', (_, one, other) => {
  for (const roots of [
    [one, other],
    [other, one],
  ])
    expect(() => clientsOf(...roots)).toThrow(
      /^several files have Clients, and that of [01]\.json is from a database or/,
    );
});

test('API resources of a database are not merged with those of a file', () => {
  const resources = { ApiResources: [{ Id: 1, Name: 'https://a.example', Scopes: [{ Scope: 'x' }] }] };
  const other = { ApiResources: [{ Name: 'https://b.example' }] };
  expect(() => clientsOf({ ...rows, ...resources }, other)).toThrow('several files have ApiResources, and that of 0');
});

test('a client whose ClientId replaces another one has a note, and another client has none', () => {
  const [second, third] = [{ ...client, ClientId: 'second' }, { ClientId: 'third' }];
  const { drafts } = read({ Clients: [client, second] }, { Clients: [{ ClientId: 'b' }, {}, third] });
  const mixed = /^1\.json replaces the ClientId of another client, as in \.NET: /;
  const texts = drafts.map(({ label, notes }) => [label, notes.filter(({ text }) => mixed.test(text)).length]);
  expect(texts).toEqual([
    ['b', 1],
    ['second', 0],
    ['third', 0],
  ]);
});

import { describe, expect, test } from 'vitest';
import { readConfiguration } from '../../../../src/administration/import/identity-server/identity-server.ts';
import type { Json } from '../../../../src/clients/json-value.ts';
import { importedClients } from '../../../support/imported-clients.ts';

const now = Date.parse('2026-11-30T00:00:00Z');
const imported = (configuration: Json) =>
  importedClients(readConfiguration([{ name: 'clients.json', root: configuration }], now), now);
const secret = { Id: 1, ClientId: 1, Type: 'X509Name', Value: 'CN=a', Expiration: '2031-12-31 00:00:00', Created: 'x' };
const client = {
  Id: 1,
  Enabled: 1,
  ClientId: 'a',
  ProtocolType: 'oidc',
  AccessTokenType: 0,
  AccessTokenLifetime: 600,
  NonEditable: 0,
  AllowedGrantTypes: [{ Id: 1, GrantType: 'client_credentials', ClientId: 1 }],
  AllowedScopes: [
    { Id: 2, Scope: 'b' },
    { Id: 1, Scope: 'a' },
  ],
  ClientSecrets: [secret],
};
const resources = {
  ApiScopes: [
    { Id: 1, Name: 'a', Enabled: true },
    { Id: 2, Name: 'b', Enabled: 1 },
  ],
  ApiResources: [
    { Id: 1, Name: 'https://api.example', Enabled: 1, Scopes: [{ Scope: 'a' }], Secrets: [{ Type: 'x' }] },
  ],
};

describe('JSON in the shape of the tables', () => {
  test('becomes client records, with lists in the order of their ids', () => {
    expect(imported({ Clients: [client], ...resources }).clients).toEqual([
      expect.objectContaining({
        client_id: 'a',
        scope: 'a b',
        audience: { a: ['https://api.example'] },
        access_token_lifetime: 600,
        client_secrets: [{ type: 'X509Name', value: 'CN=a', expiration: '2031-12-31T00:00:00Z' }],
      }),
    ]);
  });

  test('has flags as 1 and 0 without a remark', () => {
    expect(imported({ Clients: [client], ...resources }).remarks).toEqual([]);
  });

  test('keeps a secret that repeats one that has ended, unlike the configuration of .NET', () => {
    const ended = { ...secret, Expiration: '2020-01-01 00:00:00' };
    const ClientSecrets = [ended, { ...secret, Id: 2 }];
    expect(imported({ Clients: [{ ...client, ClientSecrets }], ...resources }).clients).toMatchObject([
      { client_secrets: [{ expiration: '2031-12-31T00:00:00Z' }] },
    ]);
  });

  test('notes grant types that IdentityServer does not load', () => {
    const grants = ['client_credentials', 'implicit', 'hybrid'].map((GrantType, Id) => ({ Id, GrantType }));
    const { notes } = imported({ Clients: [{ ...client, AllowedGrantTypes: grants }], ...resources });
    expect(notes.join()).toContain('never worked there: its grant types implicit and hybrid exclude each other');
  });

  test('notes an empty origin, with which IdentityServer rejects the client', () => {
    const { notes } = imported({ Clients: [{ ...client, AllowedCorsOrigins: [{ Id: 1, Origin: '' }] }], ...resources });
    expect(notes).toContainEqual(expect.stringContaining('AllowedCorsOrigins has "", which is not an origin'));
  });

  test('becomes the same records with a list for each table', () => {
    const { AllowedGrantTypes, AllowedScopes, ClientSecrets, ...row } = client;
    const [{ Scopes, ...resource } = { Scopes: [] }] = resources.ApiResources;
    const tables = {
      Clients: [row],
      ClientGrantTypes: AllowedGrantTypes,
      ClientScopes: AllowedScopes.map((scope) => ({ ...scope, ClientId: 1 })),
      ClientSecrets: [secret, { ...secret, ClientId: 2, Value: 'CN=other' }],
      ApiScopes: resources.ApiScopes,
      ApiResources: [resource],
      ApiResourceScopes: [{ Scope: 'a', ApiResourceId: 1 }],
    };
    expect(imported(tables).clients).toEqual(imported({ Clients: [client], ...resources }).clients);
  });

  test.each([
    ['AllowedGrantTypes', 'ClientGrantTypes (AllowedGrantTypes)'],
    ['ClientSecrets', 'ClientSecrets (ClientSecrets)'],
    ['AllowedScopes', 'ClientScopes (AllowedScopes)'],
  ])('is rejected without %s, with the name of the table', (property, name) => {
    for (const missing of [undefined, null]) {
      const Clients = [JSON.parse(JSON.stringify({ ...client, [property]: missing }))];
      expect(() => imported({ Clients })).toThrow(`1 row of the table Clients without the rows of ${name}: `);
    }
  });

  test('is rejected if the API resources have no scopes', () => {
    const ApiResources = [{ Id: 1, Name: 'https://api.example' }];
    expect(() => imported({ Clients: [client], ApiResources })).toThrow(
      /ApiResources without the rows of ApiResourceScopes/,
    );
  });

  test('may have a secret that never ends', () => {
    const ClientSecrets = [{ ...secret, Expiration: 'infinity' }];
    const [record] = imported({ Clients: [{ ...client, ClientSecrets }] }).clients;
    expect(record).toMatchObject({ client_secrets: [{ type: 'X509Name', value: 'CN=a' }] });
    expect(JSON.stringify(record)).not.toContain('expiration');
  });

  test('may have no scopes, secrets or grants', () => {
    const Clients = [{ ...client, AllowedScopes: [], ClientSecrets: [] }];
    expect(imported({ Clients }).skipped).toEqual({ a: expect.stringContaining('no unexpired secret') });
  });
});

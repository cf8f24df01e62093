import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeDiagnostic } from '../../../src/clients/files/diagnostics.ts';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const client = '{"client_id":"a","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a"}';
const resource = '{"name":"orders","resource":"https://orders.example","scope":"read","binding":"caller"}';

async function read(content: string, name = 'records.yaml') {
  const file = join(directory, name);
  writeFileSync(file, content);
  const { clients, resources, errors } = await readClientsFiles([file], defaultPolicy, Date.now());
  return {
    clients: clients.map(({ clientId }) => clientId),
    resources: resources.map(({ name: each }) => each),
    errors: errors.map((error) =>
      describeDiagnostic(error)
        .slice(file.length)
        .replace(/^(?::\d+:\d+)?: /, ''),
    ),
  };
}

describe('readClientsFiles', () => {
  test.each([
    ['YAML with both lists', `clients: [${client}]\nresources: [${resource}]\n`, 'both.yaml'],
    ['YAML with the lists in reverse order', `resources: [${resource}]\nclients: [${client}]\n`, 'reverse.yaml'],
    ['JSON with both lists', `{"$schema":"x","clients":[${client}],"resources":[${resource}]}`, 'both.json'],
    ['a YAML list of both', `- ${resource}\n- ${client}\n`, 'list.yaml'],
    ['a JSON list of both', `[${client},${resource}]`, 'list.json'],
    ['JSON Lines of both', `${resource}\n\n${client}\n`, 'both.jsonl'],
  ])('reads clients and resources from %s', async (_, content, name) => {
    expect(await read(content, name)).toEqual({ clients: ['a'], resources: ['orders'], errors: [] });
  });

  test.each([
    ['a file with resources only', `resources:\n  - ${resource}\n`, 'resources.yaml'],
    ['a list with resources only', `[${resource}]`, 'list.json'],
    ['JSON Lines with resources only', resource, 'resources.ndjson'],
  ])('reads %s', async (_, content, name) => {
    expect(await read(content, name)).toEqual({ clients: [], resources: ['orders'], errors: [] });
  });

  test('reads empty lists', async () => {
    expect(await read('resources: []')).toEqual({ clients: [], resources: [], errors: [] });
    expect(await read('{clients: [], resources: []}')).toEqual({ clients: [], resources: [], errors: [] });
  });

  test('accepts a resource and a client of the same name', async () => {
    const named = client.replace('"a"', '"orders"');
    expect(await read(`[${named},${resource}]`)).toEqual({ clients: ['orders'], resources: ['orders'], errors: [] });
  });

  test.each([
    [
      'an invalid resource',
      `resources: [${resource.replace('caller', 'both')}]`,
      ['resource "orders": binding: expected caller, proxy or none'],
    ],
    [
      'a misspelled field',
      `resources: [${resource.replace('scope', 'scopes')}]`,
      ['resource "orders": scope: is missing', 'resource "orders": unknown field "scopes" (did you mean "scope"?)'],
    ],
    [
      'a resource without a name',
      `resources: [{binding: caller}]`,
      [
        'resource (record 1): name: is missing',
        'resource (record 1): resource: is missing',
        'resource (record 1): scope: is missing',
      ],
    ],
    [
      'the same name twice',
      `clients: [${client}]\nresources: [${resource}, ${resource}]`,
      [
        `resource "orders": name: is already defined in ${join(directory, 'records.yaml')}:2; a resource has one record`,
      ],
    ],
    [
      'a resource among the clients',
      `clients: [${client}, ${resource}]`,
      ['client (record 2): (record): has "name" and no "client_id": move it to "resources", or add "client_id"'],
    ],
    [
      'a client among the resources',
      `resources: [${client}]`,
      ['resource (record 1): (record): has "client_id" and no "name": move it to "clients", or add "name"'],
    ],
    [
      'a section without a list',
      `clients: [${client}]\nresources:`,
      ['expected a list of resources under "resources:"; if there are none, write resources: []'],
    ],
    [
      'another section',
      `resources: [${resource}]\nresource: []`,
      ['unknown field "resource"; expected "clients", "resources" and "$schema" only (did you mean "resources"?)'],
    ],
    ['two sections of one name', `resources: []\nresources: [${resource}]`, ['duplicate key "resources"']],
    [
      'neither section',
      'version: 1',
      ['expected a list of clients, or "clients:" or "resources:" with a list under it'],
    ],
    [
      'a misspelled section',
      'ressource: []',
      ['expected a list of clients, or "clients:" or "resources:" with a list under it (did you mean "resources"?)'],
    ],
    ['a record of neither type', `[${client}, {}]`, ['client (record 2): client_id: is missing']],
  ])('reports %s, where it is, and the fix', async (_, content, expected) => {
    const { errors } = await read(content);
    expect(errors.slice(0, expected.length)).toEqual(expected);
  });

  test('reports the line of a resource in JSON Lines', async () => {
    const { errors, clients } = await read(`${client}\n${resource.replace('read', '')}\n`, 'invalid.jsonl');
    expect(clients).toEqual(['a']);
    expect(errors).toEqual([
      'resource "orders": scope: must not be empty: name at least one scope that the caller needs',
    ]);
  });
});

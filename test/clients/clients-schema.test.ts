import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientRecordSchema } from '../../src/clients/client-record.ts';
import { clientsSchema } from '../../src/clients/clients-schema.ts';
import { repositoryRoot } from '../support/repository-root.ts';

const schema = clientsSchema() as { $defs: { client: { properties: Record<string, object> } } };

test('the published schema is the generated one: countersign clients schema > docs/clients.schema.json', () => {
  const published = readFileSync(join(repositoryRoot, 'docs/clients.schema.json'), 'utf8');
  expect(JSON.parse(published)).toEqual(schema);
});

test('every field of every object is described', () => {
  const described: string[] = [];
  const walk = (node: unknown, path: string) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, field] of Object.entries('properties' in node ? (node.properties as object) : {})) {
      described.push(`${path}${name}`);
      expect(field, `${path}${name}`).toMatchObject({ description: expect.stringMatching(/./) });
    }
    for (const [name, child] of Object.entries(node)) walk(child, name === 'properties' ? path : `${path}${name}.`);
  };
  walk(schema, '');
  expect(described.length).toBeGreaterThan(30);
});

test('has exactly the fields that are validated', () => {
  expect(Object.keys(schema.$defs.client.properties)).toEqual(Object.keys(clientRecordSchema.shape));
});

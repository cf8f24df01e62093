import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { clientsSchema } from '../../src/clients/json-schema.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { clientRecordSchema } from '../../src/clients/record-schema.ts';
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
    for (const [name, child] of Object.entries(node)) {
      // Its rules are about fields that are described where they stand.
      if (name !== 'allOf') walk(child, name === 'properties' ? path : `${path}${name}.`);
    }
  };
  walk(schema, '');
  expect(described.length).toBeGreaterThan(30);
});

test('has exactly the fields that are validated', () => {
  expect(Object.keys(schema.$defs.client.properties)).toEqual(Object.keys(clientRecordSchema.shape));
});

/** The formats stand there as patterns as well. */
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
const thumbprint = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';
const named = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };
const registered = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint }],
};
const secret = { type: 'X509Name', value: 'CN=a' };
const secrets = { client_id: 'a', client_secrets: [secret] };

/** Leaves out what is undefined, as JSON does. */
const inJson = (record: unknown): unknown => JSON.parse(JSON.stringify(record));
const policy = { allowSha1Thumbprints: false, requireCaPin: false, anchors: [] };
const isSound = (record: unknown) => parseClient(record, policy, 0).ok;

describe('the schema and the server', () => {
  test.each([
    ['a name', named],
    ['another name', { ...named, tls_client_auth_subject_dn: undefined, tls_client_auth_san_ip: '::1' }],
    ['a name and pins', { ...named, tls_client_auth_ca: [thumbprint] }],
    ['certificates', registered],
    [
      'certificates of every form',
      { ...registered, certificates: [{ thumbprint }, { public_key_thumbprint: thumbprint }] },
    ],
    [
      'days',
      {
        ...registered,
        certificates: [{ thumbprint, not_before: '2028-02-29', not_after: '2028-03-01T12:00:00+02:00' }],
      },
    ],
    ['keys', { ...registered, certificates: undefined, jwks: { keys: [{ kty: 'EC', 'x5t#S256': thumbprint }] } }],
    ['keys and certificates', { ...registered, jwks: { keys: [{ 'x5t#S256': thumbprint }] } }],
    ['secrets', secrets],
    ['secrets and their method', { ...secrets, token_endpoint_auth_method: 'tls_client_auth' }],
    ['scopes', { ...named, scope: 'a b:c https://x/[y]', audience: { a: 'x', 'b:c': ['y'] } }],
    ['no scopes', { ...named, scope: '' }],
    ['claims', { ...named, claims: { tenant: 'x', roles: ['y'], nested: { sub: 'z' } } }],
  ])('both accept %s', (_, record) => {
    expect(isSound(inJson(record))).toBe(true);
    validate(inJson([record]));
    expect(validate.errors).toBeNull();
    expect(validate(inJson({ clients: [record] }))).toBe(true);
  });

  test.each([
    ['no client_id', { ...named, client_id: undefined }],
    ['no method', { ...named, token_endpoint_auth_method: undefined }],
    ['no name', { ...named, tls_client_auth_subject_dn: undefined }],
    ['two names', { ...named, tls_client_auth_san_dns: 'a.example' }],
    ['a name and a secret that is one', { ...named, client_secrets: [secret] }],
    [
      'two secrets that are names',
      { ...secrets, token_endpoint_auth_method: 'tls_client_auth', client_secrets: [secret, secret] },
    ],
    ['a name and certificates', { ...named, certificates: [{ thumbprint }] }],
    ['a name and keys', { ...named, jwks: { keys: [{ 'x5t#S256': thumbprint }] } }],
    ['certificates and a name', { ...registered, tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['certificates and pins', { ...registered, tls_client_auth_ca: [thumbprint] }],
    ['no certificates', { ...registered, certificates: undefined }],
    ['a certificate that is none', { ...registered, certificates: [{ note: 'x' }] }],
    ['a certificate that is two', { ...registered, certificates: [{ thumbprint, public_key_thumbprint: thumbprint }] }],
    ['a key without certificate', { ...registered, certificates: undefined, jwks: { keys: [{ kty: 'EC' }] } }],
    ['a day that is none', { ...registered, certificates: [{ thumbprint, not_after: '2027-02-29' }] }],
    ['a space too many', { ...named, scope: 'a  b' }],
    ['a scope that is none', { ...named, scope: 'a"b' }],
    ['a scope that is too long', { ...named, scope: 'a'.repeat(257) }],
    ['a claim that the server sets', { ...named, claims: { sub: 'x' } }],
    ['an unknown field', { ...named, client_secret: 'x' }],
  ])('both refuse %s', (_, record) => {
    expect(isSound(inJson(record))).toBe(false);
    expect(validate(inJson([record]))).toBe(false);
  });

  test.each([
    ['a thumbprint', { ...registered, certificates: [{ thumbprint: 'abc' }] }],
    ['a name', { ...named, tls_client_auth_subject_dn: 'nonsense' }],
    ['a period', { ...registered, certificates: [{ thumbprint, not_before: '2028-01-01', not_after: '2027-01-01' }] }],
    ['an audience of a scope', { ...named, audience: { b: 'x' } }],
  ])('only the server says that %s makes no sense', (_, record) => {
    expect(isSound(record)).toBe(false);
    expect(validate([record])).toBe(true);
  });
});

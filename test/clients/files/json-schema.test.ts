import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { recordsSchema } from '../../../src/clients/files/json-schema.ts';
import { parseClient } from '../../../src/clients/parse-client.ts';
import { clientRecordSchema } from '../../../src/clients/record-schema.ts';
import { parseResource } from '../../../src/resources/parse-resource.ts';
import { resourceRecordSchema } from '../../../src/resources/record-schema.ts';
import { repositoryRoot } from '../../support/repository-root.ts';

const schema = recordsSchema() as {
  $defs: Record<'client' | 'resource', { properties: Record<string, object> }>;
};

test('docs/clients.schema.json is the output of countersign clients schema', () => {
  const published = readFileSync(join(repositoryRoot, 'docs/clients.schema.json'), 'utf8');
  expect(JSON.parse(published)).toEqual(schema);
});

test('the schema describes every field of every object', () => {
  const described: string[] = [];
  const walk = (node: unknown, path: string) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, field] of Object.entries('properties' in node ? (node.properties as object) : {})) {
      described.push(`${path}${name}`);
      expect(field, `${path}${name}`).toMatchObject({ description: expect.stringMatching(/./) });
    }
    for (const [name, child] of Object.entries(node)) {
      // The rules refer to fields that are described elsewhere.
      if (name !== 'allOf') walk(child, name === 'properties' ? path : `${path}${name}.`);
    }
  };
  walk(schema, '');
  expect(described.length).toBeGreaterThan(30);
});

test('the schema has exactly the validated fields', () => {
  expect(Object.keys(schema.$defs.client.properties)).toEqual(Object.keys(clientRecordSchema.shape));
  expect(Object.keys(schema.$defs.resource.properties)).toEqual(Object.keys(resourceRecordSchema.shape));
});

/** The schema contains all formats as patterns, too. */
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
const thumbprint = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';
const named = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };
const spiffe = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_spiffe_id: 'spiffe://prod.example/a',
  tls_client_auth_ca: [thumbprint],
};
const registered = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint }],
};
const secret = { type: 'X509Name', value: 'CN=a' };
const secrets = { client_id: 'a', client_secrets: [secret] };

/** Omits undefined fields, as JSON does. */
const toJson = (record: unknown): unknown => JSON.parse(JSON.stringify(record));
const policy = {
  allowSha1Thumbprints: false,
  requireCaPin: false,
  uniqueCertificates: false,
  allowUnboundEdgeTokens: false,
  anchors: [],
  intermediates: [],
};
const isValid = (record: unknown) => parseClient(record, policy, 0).ok;

describe('the JSON Schema', () => {
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
    [
      'secrets of both kinds',
      { ...secrets, client_secrets: [secret, secret, { ...secret, type: 'X509Thumbprint', value: thumbprint }] },
    ],
    [
      'two secrets with names',
      { ...secrets, token_endpoint_auth_method: 'tls_client_auth', client_secrets: [secret, secret] },
    ],
    [
      'secrets of both kinds and other certificates',
      {
        ...secrets,
        client_secrets: [secret, { ...secret, type: 'X509Thumbprint', value: thumbprint }],
        certificates: [{ thumbprint: 'A'.repeat(43) }],
      },
    ],
    [
      'secrets with thumbprints, and certificates',
      {
        ...registered,
        token_endpoint_auth_method: undefined,
        client_secrets: [{ type: 'X509Thumbprint', value: 'A'.repeat(43) }],
      },
    ],
    ['secrets and their method', { ...secrets, token_endpoint_auth_method: 'tls_client_auth' }],
    ['scopes', { ...named, scope: 'a b:c https://x/[y]', audience: { a: 'x', 'b:c': ['y'] } }],
    ['no scopes', { ...named, scope: '' }],
    ['a SPIFFE ID', spiffe],
    ['a pattern of SPIFFE IDs', { ...spiffe, tls_client_auth_spiffe_id: 'spiffe://prod.example/ns/*/sa/a' }],
    ['no grant types', { ...named, grant_types: [] }],
    ['claims', { ...named, claims: { tenant: 'x', roles: ['y'], nested: { sub: 'z' } } }],
  ])('accepts a record with %s, as the server does', (_, record) => {
    expect(isValid(toJson(record))).toBe(true);
    validate(toJson([record]));
    expect(validate.errors).toBeNull();
    expect(validate(toJson({ clients: [record] }))).toBe(true);
  });

  test.each([
    ['no client_id', { ...named, client_id: undefined }],
    ['no method', { ...named, token_endpoint_auth_method: undefined }],
    ['no name', { ...named, tls_client_auth_subject_dn: undefined }],
    ['two names', { ...named, tls_client_auth_san_dns: 'a.example' }],
    ['a name and a secret with a name', { ...named, client_secrets: [secret] }],
    [
      'a method and a secret of the other one',
      { ...secrets, token_endpoint_auth_method: 'self_signed_tls_client_auth' },
    ],
    ['certificates and a secret with a name', { ...secrets, certificates: [{ thumbprint }] }],
    ['a secret with a name and another name', { ...secrets, tls_client_auth_san_dns: 'a.example' }],
    [
      'a method and secrets of both kinds',
      {
        ...secrets,
        token_endpoint_auth_method: 'tls_client_auth',
        client_secrets: [secret, { type: 'X509Thumbprint', value: thumbprint }],
      },
    ],
    ['a SPIFFE ID without a pin', { ...spiffe, tls_client_auth_ca: undefined }],
    ['a SPIFFE ID and another name', { ...spiffe, tls_client_auth_san_dns: 'a.example' }],
    ['a SPIFFE ID without a path', { ...spiffe, tls_client_auth_spiffe_id: 'spiffe://prod.example' }],
    ['a trust domain in capitals', { ...spiffe, tls_client_auth_spiffe_id: 'spiffe://Prod.example/a' }],
    ['a wildcard in a trust domain', { ...spiffe, tls_client_auth_spiffe_id: 'spiffe://*.example/a' }],
    ['a wildcard in a segment', { ...spiffe, tls_client_auth_spiffe_id: 'spiffe://prod.example/a-*' }],
    ['certificates and a SPIFFE ID', { ...registered, tls_client_auth_spiffe_id: 'spiffe://prod.example/a' }],
    ['a name and certificates', { ...named, certificates: [{ thumbprint }] }],
    ['a name and keys', { ...named, jwks: { keys: [{ 'x5t#S256': thumbprint }] } }],
    ['certificates and a name', { ...registered, tls_client_auth_san_uri: 'spiffe://a/b' }],
    ['certificates and pins', { ...registered, tls_client_auth_ca: [thumbprint] }],
    ['no certificates', { ...registered, certificates: undefined }],
    ['a certificate entry without a certificate', { ...registered, certificates: [{ note: 'x' }] }],
    [
      'a certificate entry with a thumbprint and a key',
      { ...registered, certificates: [{ thumbprint, public_key_thumbprint: thumbprint }] },
    ],
    ['a key without certificate', { ...registered, certificates: undefined, jwks: { keys: [{ kty: 'EC' }] } }],
    ['an invalid date', { ...registered, certificates: [{ thumbprint, not_after: '2027-02-29' }] }],
    ['two spaces in the scope', { ...named, scope: 'a  b' }],
    ['an invalid scope', { ...named, scope: 'a"b' }],
    ['a scope of 257 characters', { ...named, scope: 'a'.repeat(257) }],
    ['a claim that the server sets', { ...named, claims: { sub: 'x' } }],
    ['an unknown field', { ...named, client_secret: 'x' }],
  ])('rejects a record with %s, as the server does', (_, record) => {
    expect(isValid(toJson(record))).toBe(false);
    expect(validate(toJson([record]))).toBe(false);
  });

  test.each([
    ['thumbprint', { ...registered, certificates: [{ thumbprint: 'abc' }] }],
    ['name', { ...named, tls_client_auth_subject_dn: 'nonsense' }],
    ['period', { ...registered, certificates: [{ thumbprint, not_before: '2028-01-01', not_after: '2027-01-01' }] }],
    ['audience for an unknown scope', { ...named, audience: { b: 'x' } }],
  ])('accepts an invalid %s, which only the server rejects', (_, record) => {
    expect(isValid(record)).toBe(false);
    expect(validate([record])).toBe(true);
  });
});

const resource = { name: 'orders', resource: 'https://orders.example', scope: 'a', binding: 'caller' };
const isValidResource = (record: unknown) => parseResource(record, { ...policy, allowUnboundEdgeTokens: true }).ok;

describe('the JSON Schema of resources', () => {
  test.each([
    ['the required fields', resource],
    ['no binding', { ...resource, binding: 'none', access_token_lifetime: 60 }],
    ['the certificates of a proxy', { ...resource, binding: 'proxy', proxy_thumbprints: [thumbprint, 'A'.repeat(43)] }],
    [
      'every other field',
      { ...resource, forward: 'none', access_token_lifetime: 300, resource_metadata: 'https://a/b?c=d' },
    ],
    ['a URN', { ...resource, resource: 'urn:example:orders' }],
  ])('accepts a record with %s, as the server does', (_, record) => {
    expect(isValidResource(record)).toBe(true);
    validate([named, record]);
    expect(validate.errors).toBeNull();
    expect(validate({ resources: [record] })).toBe(true);
    expect(validate({ clients: [named], resources: [record] })).toBe(true);
    expect(validate({ clients: [record] })).toBe(false);
  });

  test.each([
    ['no name', { ...resource, name: undefined }],
    ['an upper-case name', { ...resource, name: 'Orders' }],
    ['a relative resource', { ...resource, resource: 'orders' }],
    ['a fragment', { ...resource, resource: 'https://a/#b' }],
    ['a resource that is too long', { ...resource, resource: `urn:${'a'.repeat(1021)}` }],
    ['an empty scope', { ...resource, scope: '' }],
    ['two spaces in the scope', { ...resource, scope: 'a  b' }],
    ['a lifetime of 9 s', { ...resource, access_token_lifetime: 9 }],
    ['a lifetime of 301 s', { ...resource, access_token_lifetime: 301 }],
    ['no statement of the binding', { ...resource, binding: undefined }],
    ['an unknown binding', { ...resource, binding: 'both' }],
    ['an unbound token for 61 s', { ...resource, binding: 'none', access_token_lifetime: 61 }],
    ['a proxy without thumbprints', { ...resource, binding: 'proxy' }],
    ['three thumbprints', { ...resource, binding: 'proxy', proxy_thumbprints: ['A', 'B', 'C'] }],
    ['thumbprints without a proxy', { ...resource, proxy_thumbprints: [thumbprint] }],
    ['an unknown forward', { ...resource, forward: 'token' }],
    ['http metadata', { ...resource, resource_metadata: 'http://a' }],
    ['a quotation mark in its metadata', { ...resource, resource_metadata: 'https://a/"' }],
    ['an unknown field', { ...resource, audience: 'x' }],
  ])('rejects a record with %s, as the server does', (_, record) => {
    expect(isValidResource(toJson(record))).toBe(false);
    expect(validate(toJson({ resources: [record] }))).toBe(false);
  });

  test('rejects a file without a list', () => {
    expect([validate({}), validate({ clients: [], more: [] }), validate({ resources: {} })]).toEqual([
      false,
      false,
      false,
    ]);
    expect(validate({ resources: [] })).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { parseResource } from '../../src/resources/parse-resource.ts';
import { defaultPolicy } from '../support/policy.ts';

const thumbprint = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';
const next = 'A4Z3EwNWTy7QX9vhbKPWN3QbPbVeMKEGeKw6gmhw4XU';
const minimal = { name: 'orders', resource: 'https://orders.example', scope: 'orders:read', binding: 'caller' };
const proxy = { ...minimal, binding: 'proxy', proxy_thumbprints: [thumbprint] };
const unbound = { ...minimal, binding: 'none' };
const allowed = { ...defaultPolicy, allowUnboundEdgeTokens: true };

function errorsOf(record: object, policy = defaultPolicy): readonly string[] {
  const result = parseResource(record, policy);
  return result.ok ? [] : result.errors.map(({ field, message }) => `${field}: ${message}`);
}

describe('parseResource', () => {
  test('parses a record with only the required fields, and applies the defaults', () => {
    expect(parseResource(minimal, defaultPolicy)).toEqual({
      ok: true,
      resource: {
        name: 'orders',
        audience: 'https://orders.example',
        scopes: ['orders:read'],
        accessTokenLifetimeSeconds: 60,
        binding: { kind: 'caller' },
        forward: 'minted',
        metadataUrl: undefined,
        signingAlgorithm: undefined,
        introspectionClients: [],
      },
    });
  });

  test('parses a record with every field', () => {
    const record = {
      ...proxy,
      scope: 'orders:read orders:write orders:read',
      access_token_lifetime: 300,
      proxy_thumbprints: [Buffer.from(thumbprint, 'base64url').toString('hex'), next],
      forward: 'original',
      resource_metadata: 'https://orders.example/.well-known/oauth-protected-resource?a=b',
      signing_alg: 'ES384',
      introspection: ['orders-api', 'https://b.example/{b}:*'],
    };
    expect(parseResource(record, defaultPolicy)).toEqual({
      ok: true,
      resource: {
        name: 'orders',
        audience: 'https://orders.example',
        scopes: ['orders:read', 'orders:write'],
        accessTokenLifetimeSeconds: 300,
        binding: { kind: 'proxy', thumbprints: [thumbprint, next] },
        forward: 'original',
        metadataUrl: record.resource_metadata,
        signingAlgorithm: 'ES384',
        introspectionClients: ['orders-api', 'https://b.example/{b}:*'],
      },
    });
  });

  test.each<[string, object, string | RegExp]>([
    ['without a name', { ...minimal, name: undefined }, 'name: is missing'],
    ['with an empty name', { ...minimal, name: '' }, 'name: expected 1 to 63 lowercase letters, digits and hyphens'],
    ['with an upper-case name', { ...minimal, name: 'Orders' }, 'name: expected 1 to 63 lowercase letters'],
    ['with a name of 64 characters', { ...minimal, name: 'a'.repeat(64) }, 'name: expected 1 to 63'],
    ['with a line feed after the name', { ...minimal, name: 'orders\n' }, 'name: expected 1 to 63'],
    ['without a resource', { ...minimal, resource: undefined }, 'resource: is missing'],
    ['with a relative resource', { ...minimal, resource: 'orders' }, 'resource: expected an absolute URI'],
    ['with a fragment', { ...minimal, resource: 'https://orders.example/#a' }, 'resource: expected an absolute URI'],
    [
      'with a resource that is too long',
      { ...minimal, resource: `urn:${'a'.repeat(1021)}` },
      'at most 1024 characters',
    ],
    ['without a scope', { ...minimal, scope: undefined }, 'scope: is missing'],
    ['with an empty scope', { ...minimal, scope: '' }, 'scope: must not be empty: name at least one scope'],
    ['with two spaces in the scope', { ...minimal, scope: 'a  b' }, 'scope: has too many spaces'],
    ['with a quotation mark in the scope', { ...minimal, scope: 'a"b' }, 'scope: contains "a"b", which is not a scope'],
    ['with a list of scopes', { ...minimal, scope: ['a'] }, 'scope: must be a string, not a list'],
    ['with a lifetime of 9 s', { ...minimal, access_token_lifetime: 9 }, 'must be at least 10 (seconds)'],
    ['with a lifetime of 301 s', { ...minimal, access_token_lifetime: 301 }, 'must be at most 300 (seconds)'],
    [
      'with a fraction of a second',
      { ...minimal, access_token_lifetime: 10.5 },
      'access_token_lifetime: must be an int',
    ],
    ['without a binding', { ...minimal, binding: undefined }, 'binding: is missing: expected caller, proxy or none'],
    ['with an unknown binding', { ...minimal, binding: 'both' }, 'binding: expected caller, proxy or none'],
    ['with an unknown forward', { ...minimal, forward: 'token' }, 'forward: expected original, minted or none'],
    ['with http metadata', { ...minimal, resource_metadata: 'http://a/b' }, 'resource_metadata: expected an https URL'],
    ['with a quotation mark in it', { ...minimal, resource_metadata: 'https://a/"' }, 'expected an https URL'],
    ['with metadata that is no URL', { ...minimal, resource_metadata: 'https://' }, 'expected an https URL'],
    ['with a fragment in it', { ...minimal, resource_metadata: 'https://a/#b' }, 'without a fragment'],
    [
      'with an algorithm in lower case',
      { ...minimal, signing_alg: 'eddsa' },
      /^signing_alg: expected ES256, .* or [-\w]+ \(did you mean "EdDSA"\?\)$/,
    ],
    ['with a misspelled algorithm', { ...minimal, signing_alg: 'ES265' }, '(did you mean "ES256"?)'],
    ['with a symmetric algorithm', { ...minimal, signing_alg: 'HS256' }, 'signing_alg: expected ES256, ES384'],
    ['with no algorithm', { ...minimal, signing_alg: 'none' }, /^signing_alg: expected ES256, .* or [-\w]+$/],
    [
      'with a list of algorithms',
      { ...minimal, signing_alg: ['ES256'] },
      /^signing_alg: expected ES256, .* or [-\w]+$/,
    ],
    [
      'with one client that may introspect, not in a list',
      { ...minimal, introspection: 'orders-api' },
      'introspection: must be a list, not a string',
    ],
    [
      'with something that is not a client_id',
      { ...minimal, introspection: ['orders-api', 'a\n'] },
      'introspection[1]: expected a client_id: 1 to 255 printable ASCII characters',
    ],
    ['with an unknown field', { ...minimal, policy: 'x' }, 'policy: unknown field "policy"'],
    ['with a misspelled field', { ...minimal, scopes: 'x' }, 'scopes: unknown field "scopes" (did you mean "scope"?)'],
  ])('rejects a record %s', (_, record, problem) => {
    const errors = errorsOf(JSON.parse(JSON.stringify(record)));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(problem);
  });

  test.each([
    ['a value that is not a map', []],
    ['nothing', null],
    ['text', 'orders'],
  ])('rejects %s', (_, value) => {
    expect(parseResource(value, defaultPolicy).ok).toBe(false);
  });

  test('rejects a field of any length without comparing it', () => {
    const [error = ''] = errorsOf({ ...minimal, [`scope${'x'.repeat(5_000_000)}`]: 'a' });
    expect(error.slice(-60)).not.toContain('did you mean');
  });

  test('rejects an algorithm of any length without comparing it', () => {
    expect(errorsOf({ ...minimal, signing_alg: 'ES256'.repeat(1_000_000) }).join()).toMatch(/^.{0,200}$/);
  });
});

describe('binding: proxy', () => {
  test.each<[string, object, string]>([
    [
      'without thumbprints',
      { ...proxy, proxy_thumbprints: undefined },
      'proxy_thumbprints: is missing: binding: proxy',
    ],
    ['with an empty list', { ...proxy, proxy_thumbprints: [] }, 'proxy_thumbprints: must not be empty'],
    [
      'with three thumbprints',
      { ...proxy, proxy_thumbprints: [thumbprint, next, thumbprint] },
      'must contain at most 2',
    ],
    ['with one thumbprint twice', { ...proxy, proxy_thumbprints: [thumbprint, thumbprint] }, '[1]: is the same as'],
    ['with a text', { ...proxy, proxy_thumbprints: thumbprint }, 'proxy_thumbprints: must be a list, not a string'],
    [
      'with SHA-1',
      { ...proxy, proxy_thumbprints: [thumbprint, 'a'.repeat(40)] },
      '[1]: a SHA-1 thumbprint; use the one',
    ],
    ['with something else', { ...proxy, proxy_thumbprints: ['x'] }, 'proxy_thumbprints[0]: not a thumbprint: expected'],
  ])('is rejected %s', (_, record, problem) => {
    const errors = errorsOf(JSON.parse(JSON.stringify(record)));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(problem);
  });

  test.each(['caller', 'none'])('has thumbprints, and %s has none', (binding) => {
    expect(errorsOf({ ...proxy, binding }, allowed)).toEqual([
      `proxy_thumbprints: belongs to binding: proxy, and this is binding: ${binding}; remove it, or change the binding`,
    ]);
  });
});

describe('binding: none', () => {
  test('is accepted for 60 seconds if the setting allows it', () => {
    expect(parseResource(unbound, allowed)).toMatchObject({ ok: true, resource: { binding: { kind: 'none' } } });
    expect(errorsOf({ ...unbound, access_token_lifetime: 60 }, allowed)).toEqual([]);
  });

  test('is rejected for longer, and without the setting, which the errors name', () => {
    expect(errorsOf({ ...unbound, access_token_lifetime: 61 })).toEqual([
      'binding: none requires COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS=true: anyone can use such a token',
      'access_token_lifetime: must be at most 60 (seconds) with binding: none',
    ]);
  });
});

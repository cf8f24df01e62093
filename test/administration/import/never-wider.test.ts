import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { summarizeImport } from '../../../src/administration/import/summary.ts';
import { validateDrafts } from '../../../src/administration/import/validate-drafts.ts';
import { parseClient } from '../../../src/clients/parse-client.ts';
import { resolveTarget } from '../../../src/grants/target.ts';
import { importedClients, readIdentityServer } from '../../support/imported-clients.ts';
import { withSha1 } from '../../support/policy.ts';

const now = Date.parse('2026-11-30T00:00:00Z');
const names = ['a', 'b', 'c'];
const hosts = ['https://one.example', 'https://two.example', 'three'];
const flag = fc.constantFrom<unknown>(true, false, 'True', 'false', 1, 0, '1', null, 'no', '');
const list = (items: readonly string[]) =>
  fc.subarray([...items]).chain((picked) => fc.constantFrom<unknown>(picked, Object.fromEntries(picked.entries())));
const secret = fc.record({
  Type: fc.constantFrom('X509Name', 'X509Thumbprint', 'x509name', 'X509CertificateName', 'SharedSecret', ''),
  Value: fc.constantFrom<unknown>(
    'CN=a',
    'CN="a "',
    'CN=b, O=c',
    'CN=b,O=c',
    'ab'.repeat(20),
    Array.from({ length: 20 }, () => 'AB').join(':'),
    'x',
    null,
  ),
  Expiration: fc.constantFrom<unknown>(undefined, null, '2025-01-01', '12/31/2031', '31/12/2031', 7),
});
const client = fc.record(
  {
    ClientId: fc.constantFrom('one', 'two', '', ' '),
    Enabled: flag,
    RequireClientSecret: flag,
    AllowedGrantTypes: list(['client_credentials', 'authorization_code']),
    AllowedScopes: list([...names, 'openid', 'x y']),
    ClientSecrets: fc.array(secret, { maxLength: 3 }),
    AccessTokenLifetime: fc.constantFrom<unknown>(3600, '60', '0x10', -1, 1e12, 'soon', {}),
    AccessTokenType: fc.constantFrom<unknown>('Jwt', 'reference', 0, 1, 7, 'x'),
    IncludeJwtId: flag,
  },
  { requiredKeys: ['ClientId', 'AllowedGrantTypes'] },
);
const resource = fc.record(
  { Name: fc.constantFrom(...hosts), Scopes: list(names), Enabled: flag, RequireResourceIndicator: flag },
  { requiredKeys: ['Name', 'Scopes'] },
);
const configuration = fc.record(
  {
    IssuerUri: fc.constantFrom('https://id.example', ''),
    EmitStaticAudienceClaim: fc.constantFrom<unknown>(true, 'false', 1),
    Clients: fc.array(client, { maxLength: 3 }),
    ApiResources: fc.array(resource, { maxLength: 3 }),
    ApiScopes: fc.array(fc.record({ Name: fc.constantFrom(...names), Enabled: flag }), { maxLength: 4 }),
  },
  { requiredKeys: ['Clients'] },
);

interface Item {
  readonly [name: string]: unknown;
}
const isSet = (value: unknown, fallback: boolean) =>
  value === undefined || value === null ? fallback : /^(?:true|1)$/i.test(String(value));
const itemsOf = (value: unknown): readonly unknown[] => Object.values(value ?? {});

/** The audiences that IdentityServer gives to a token with these scopes, whose request names no resource. */
function audiencesThere(
  { ApiResources, EmitStaticAudienceClaim, IssuerUri }: Item,
  scopes: readonly string[],
): string[] {
  const resources = itemsOf(ApiResources) as Item[];
  const shared = resources.filter((each) => isSet(each.Enabled, true) && !isSet(each.RequireResourceIndicator, false));
  const covering = shared.filter(({ Scopes }) => itemsOf(Scopes).some((scope) => scopes.includes(String(scope))));
  const fixed = isSet(EmitStaticAudienceClaim, false) ? [`${IssuerUri}/resources`] : [];
  return [...covering.map(({ Name }) => String(Name)), ...fixed];
}

describe('an imported client', () => {
  test('gets no scope and no audience that IdentityServer does not give it', () => {
    fc.assert(
      fc.property(configuration, (root) => {
        const drafts = readIdentityServer(JSON.stringify({ IdentityServer: root }), now);
        for (const record of importedClients(drafts, now).clients) {
          const parsed = parseClient(record, withSha1, now);
          if (!parsed.ok) throw new Error('an invalid record', { cause: parsed });
          const originals = root.Clients.filter(({ ClientId }) => ClientId === record.client_id);
          const { scope, audience } = resolveTarget(parsed.client, undefined, []);
          const allowed = originals.map((original) => itemsOf(original.AllowedScopes));
          expect(allowed.some((scopes) => scope.every((each) => scopes.includes(each)))).toBe(true);
          const there = audiencesThere(root, scope);
          expect(audience.filter((each) => !there.includes(each))).toEqual([]);
          expect(originals.map(({ Enabled }) => isSet(Enabled, true))).toContain(parsed.client.enabled);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is counted in exactly one part of the summary', async () => {
    await fc.assert(
      fc.asyncProperty(configuration, async (root) => {
        const read = readIdentityServer(JSON.stringify(root), now);
        const [first = ''] = await summarizeImport({ ...read, drafts: validateDrafts(read.drafts, now) }, now);
        const [all, ...parts] = [...first.matchAll(/\d+/g)].map(Number);
        expect(all).toBe(root.Clients.length);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(all);
      }),
    );
  });
});

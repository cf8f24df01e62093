import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { readKeycloak } from '../../../src/administration/import/keycloak/keycloak.ts';
import { validateDrafts } from '../../../src/administration/import/validate-drafts.ts';
import { parseClient } from '../../../src/clients/parse-client.ts';
import { importedClients, readIdentityServer } from '../../support/imported-clients.ts';
import { withSha1 } from '../../support/policy.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const validClient = {
  ClientId: 'a',
  AllowedGrantTypes: ['client_credentials'],
  ClientSecrets: [{ Type: 'X509Name', Value: 'CN=a' }],
};

/** Strings with a meaning in YAML, JavaScript or a terminal. */
const piece = fc.constantFrom(
  ...[
    '\n',
    '\r',
    '\u0085',
    '\u2028',
    '\u202e',
    '\u0000',
    '\u001b[31m',
    '\uFEFF',
    '\ud800',
    '\t',
    ' ',
    '#',
    ' # ',
    '- ',
    ': ',
  ],
  ...[
    "'",
    '"',
    '\\',
    '*a',
    '&a',
    '!!js',
    '%',
    '@',
    '`',
    '|',
    '>',
    '?',
    '[',
    '{',
    '---',
    '...',
    '<<',
    'null',
    'no',
    '0x1',
    '1e3',
  ],
  ...[
    '\nclients:\n  - client_id: evil\n',
    '\n- client_id: evil',
    '__proto__',
    'constructor',
    '  ',
    'a',
    '7',
    'a'.repeat(60),
    'ä',
    '😀',
  ],
);
const text = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
const clientId = fc.oneof(text, fc.stringMatching(/^[ -~]{1,20}$/));

const identityServer = fc.record({
  ClientId: clientId,
  ClientName: text,
  Description: text,
  AllowedGrantTypes: fc.constantFrom(['client_credentials'], ['client_credentials', 'x\n- evil']),
  ClientSecrets: fc.array(
    fc.record({
      Type: fc.constantFrom('X509Name', 'X509Thumbprint', 'evil\n'),
      Value: fc.constantFrom('CN=a', 'ab'.repeat(20)),
      Description: text,
    }),
    { minLength: 1, maxLength: 2 },
  ),
  AllowedScopes: fc.array(text),
  AccessTokenLifetime: fc.oneof(text, fc.integer()),
  Claims: fc.array(fc.record({ Type: text, Value: text })),
  RedirectUris: fc.array(text),
});
const keycloak = fc.record({
  clientId,
  name: text,
  description: text,
  clientAuthenticatorType: fc.oneof(fc.constant('client-x509'), text),
  serviceAccountsEnabled: fc.constant(true),
  attributes: fc.record({
    'x509.subjectdn': fc.oneof(fc.constant('CN=a'), text),
    'x509.allow.regex.pattern.comparison': fc.oneof(fc.constant('false'), text),
    'x509.casubjectdn': text,
  }),
  defaultClientScopes: fc.array(text),
  redirectUris: fc.array(text),
  protocolMappers: fc.array(
    fc.record({
      name: text,
      protocolMapper: fc.constantFrom('oidc-hardcoded-claim-mapper', 'oidc-audience-mapper', 'evil\n'),
      config: fc.record({
        'access.token.claim': fc.constant('true'),
        'claim.name': text,
        'claim.value': text,
        'included.custom.audience': text,
      }),
    }),
  ),
});

const readers = [
  [
    'IdentityServer',
    identityServer,
    (clients: object[]) => readIdentityServer(JSON.stringify({ Clients: clients }), now),
  ],
  ['Keycloak', keycloak, (clients: object[]) => readKeycloak(JSON.stringify({ realm: 'r', clients }))],
] as const;

describe.each(readers)('import of hostile %s clients', (_, client: fc.Arbitrary<object>, read) => {
  test('keeps every value unchanged in valid YAML', () => {
    fc.assert(
      fc.property(fc.array(client, { minLength: 1, maxLength: 3 }), (clients) => {
        const drafts = read(clients);
        const { yaml, clients: records, skipped } = importedClients(drafts, now);
        const written = drafts.drafts.flatMap((draft) => (draft.kind === 'client' ? [draft.record] : []));
        expect(parseDocument(yaml).errors).toEqual([]);
        for (const record of records) {
          expect(written).toContainEqual(record);
          expect(parseClient(record, withSha1, now)).toMatchObject({ ok: true });
        }
        expect(records.length).toBeLessThanOrEqual(clients.length);
        expect(records.length + Object.keys(skipped).length).toBeGreaterThan(0);
      }),
    );
  });

  test('escapes control, format and line separator characters', () => {
    fc.assert(
      fc.property(client, (value) => {
        const lines = importedClients(read([value]), now).yaml.split('\n');
        expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
      }),
    );
  });

  test('restores a commented-out record when "# " is removed', () => {
    fc.assert(
      fc.property(client, (value) => {
        const [draft] = validateDrafts(read([value]).drafts, now);
        if (draft?.kind !== 'skipped' || draft.record === undefined) return;
        const { yaml } = importedClients({ drafts: [draft], notes: [], remarks: [] }, now);
        const lines = yaml.slice(yaml.indexOf('  # - client_id')).split('\n');
        expect(parse(lines.map((line) => line.replace('# ', '')).join('\n'))).toEqual([draft.record]);
      }),
    );
  });
});

test('import writes a value with line breaks on one line', () => {
  const ClientName = `${'a'.repeat(100)} b\n\n  - client_id: evil`;
  const { yaml } = importedClients(readIdentityServer(JSON.stringify([{ ...validClient, ClientName }]), now), now);
  expect(yaml).toContain(`\n    client_name: ${JSON.stringify(ClientName)}\n`);
});

test('import sets no prototype for a member named __proto__', () => {
  const evil = '{"__proto__": {"client_id": "evil", "clientid": "evil"}, "ClientId": "a"}';
  expect(importedClients(readIdentityServer(`[${evil}]`, now), now).skipped).toEqual({
    a: 'AllowedGrantTypes does not contain client_credentials: none',
  });
  const { clients } = importedClients(readKeycloak(`{"clients": [{"__proto__": {"clientId": "evil"}}]}`), now);
  expect(clients).toEqual([]);
  expect({}).not.toHaveProperty('client_id');
});

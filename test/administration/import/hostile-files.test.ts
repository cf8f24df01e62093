import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { readIdentityServer } from '../../../src/administration/import/identity-server/identity-server.ts';
import { readKeycloak } from '../../../src/administration/import/keycloak/keycloak.ts';
import { validateDrafts } from '../../../src/administration/import/validate-drafts.ts';
import { importedClients } from '../../support/imported-clients.ts';

const now = Date.parse('2026-11-22T00:00:00Z');
const usual = {
  ClientId: 'a',
  AllowedGrantTypes: ['client_credentials'],
  ClientSecrets: [{ Type: 'X509Name', Value: 'CN=a' }],
};

/** Texts that mean something to YAML, to JavaScript or to a terminal. */
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

describe.each(readers)('whatever stands in the clients of %s', (_, client: fc.Arbitrary<object>, read) => {
  test('no text becomes anything else than what it is', () => {
    fc.assert(
      fc.property(fc.array(client, { minLength: 1, maxLength: 3 }), (clients) => {
        const drafts = read(clients);
        const { yaml, clients: records, leftOut } = importedClients(drafts, now);
        const written = drafts.drafts.flatMap((draft) => (draft.kind === 'client' ? [draft.record] : []));
        expect(parseDocument(yaml).errors).toEqual([]);
        for (const record of records) expect(written).toContainEqual(record);
        expect(records.length).toBeLessThanOrEqual(clients.length);
        expect(records.length + Object.keys(leftOut).length).toBeGreaterThan(0);
      }),
    );
  });

  test('no line holds a character that ends, hides or turns around a line', () => {
    fc.assert(
      fc.property(client, (value) => {
        const lines = importedClients(read([value]), now).yaml.split('\n');
        expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
      }),
    );
  });

  test('a record in a comment is that record again without "# "', () => {
    fc.assert(
      fc.property(client, (value) => {
        const [draft] = validateDrafts(read([value]).drafts, now);
        if (draft?.kind !== 'left_out' || draft.record === undefined) return;
        const { yaml } = importedClients({ drafts: [draft], remarks: [] }, now);
        const lines = yaml.slice(yaml.indexOf('  # - client_id')).split('\n');
        expect(parse(lines.map((line) => line.replace('# ', '')).join('\n'))).toEqual([draft.record]);
      }),
    );
  });
});

test('a value stays on one line', () => {
  const ClientName = `${'a'.repeat(100)} b\n\n  - client_id: evil`;
  const { yaml } = importedClients(readIdentityServer(JSON.stringify([{ ...usual, ClientName }]), now), now);
  expect(yaml).toContain(`\n    client_name: ${JSON.stringify(ClientName)}\n`);
});

test('the prototype of objects stays as it is', () => {
  const evil = '{"__proto__": {"client_id": "evil", "clientid": "evil"}, "ClientId": "a"}';
  expect(importedClients(readIdentityServer(`[${evil}]`, now), now).leftOut).toEqual({ a: 'its grants are none' });
  const { clients } = importedClients(readKeycloak(`{"clients": [{"__proto__": {"clientId": "evil"}}]}`), now);
  expect(clients).toEqual([]);
  expect({}).not.toHaveProperty('client_id');
});

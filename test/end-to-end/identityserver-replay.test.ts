import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Drafts } from '../../src/administration/import/draft.ts';
import { readSqliteFile } from '../../src/administration/import/identity-server/database/sqlite-file.ts';
import { type DifferenceName, differences } from '../../src/administration/import/identity-server/differences.ts';
import { readConfiguration } from '../../src/administration/import/identity-server/identity-server.ts';
import { renderRecords } from '../../src/administration/import/render.ts';
import { validateDrafts } from '../../src/administration/import/validate-drafts.ts';
import { recognizes } from '../../src/clients/methods/methods.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { readIdentityServer } from '../support/imported-clients.ts';
import { defaultPolicy } from '../support/policy.ts';
import { portOf } from '../support/prepared-work.ts';
import { sendRequest } from '../support/raw-http.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { type ServiceInProcess, startServiceInProcess } from '../support/service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A configuration that Duende IdentityServer 7.3.4 bound, and what it responded. */
const files = join(repositoryRoot, 'test/cases/identityserver-configuration');
const read = (name: string) => readFileSync(join(files, name), 'utf8');
const rowsOf = (name: string) =>
  read(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
/** When it responded: secrets and certificates end. */
const now = Date.parse('2026-11-30T12:00:00Z');

interface Observed {
  readonly client_id: string;
  readonly certificate: string | null;
  readonly status: number;
  readonly error?: string;
  readonly expires_in?: number;
  readonly scope?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly token?: 'reference';
}
const observed: readonly Observed[] = rowsOf('observed.jsonl');

/** A wanted difference: a note above the client, and what it gets instead. */
interface Wanted {
  readonly difference: DifferenceName | 'left out';
  readonly instead: Partial<Observed>;
}
const token = (client_id: string, more: Partial<Observed> = {}): Partial<Observed> => ({
  status: 200,
  expires_in: 3600,
  scope: 'api1',
  claims: { aud: 'https://api.example', scope: ['api1'], client_id },
  ...more,
});
const neverWorked = (client_id: string): Wanted => ({ difference: 'never_worked', instead: token(client_id) });

/** All of them, by client and certificate. */
const wanted: Readonly<Record<string, Wanted>> = {
  'claims.bare client': {
    difference: 'claim_omitted',
    instead: token('claims.bare', {
      claims: { aud: 'https://api.example', scope: ['api1'], client_id: 'claims.bare', tenant: '42' },
    }),
  },
  'reference client': { difference: 'reference_token', instead: token('reference') },
  'props client': { difference: 'lifetime', instead: token('props', { expires_in: 86_400 }) },
  'short client': { difference: 'lifetime', instead: token('short', { expires_in: 10 }) },
  'spa client': { difference: 'left out', instead: { status: 400, error: 'invalid_client' } },
  'scopes.gone client': { difference: 'scope_omitted', instead: token('scopes.gone') },
  'dpop client': { difference: 'dpop', instead: token('dpop') },
  'name.psd2.windows x-psd2': { difference: 'secret_of_windows', instead: token('name.psd2.windows') },
  'public client': neverWorked('public'),
  'dead.rfc4514 client': neverWorked('dead.rfc4514'),
  'dead.case client': neverWorked('dead.case'),
  'dead.colons selfsigned': neverWorked('dead.colons'),
  'dead.sha256 selfsigned': neverWorked('dead.sha256'),
  'dead.type client': neverWorked('dead.type'),
  'noscopes client': {
    difference: 'never_worked',
    // Without a scope, the audience is the issuer.
    instead: { status: 200, expires_in: 3600, claims: { aud: 'https://auth.example', client_id: 'noscopes' } },
  },
};

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now });
});
afterAll(() => {
  vi.useRealTimers();
});

describe.each<[string, () => Drafts]>([
  ['appsettings.json', () => readIdentityServer(read('appsettings.json.txt'), now)],
  [
    'configuration.db',
    () => readConfiguration([{ name: 'configuration.db', root: readSqliteFile(join(files, 'configuration.db')) }], now),
  ],
])('after an import of %s,', (source, readDrafts) => {
  const drafts = validateDrafts(readDrafts().drafts, now);
  let service: ServiceInProcess;

  beforeAll(async () => {
    const clients = join(temporaryDirectory(), 'clients.yaml');
    writeFileSync(clients, renderRecords({ ...readDrafts(), drafts }, source));
    const env = { COUNTERSIGN_CLIENTS_FILE: clients, COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'true' };
    service = await startServiceInProcess(read('certs/ca.pem'), env);
  });
  afterAll(() => service.close());

  async function request(clientId: string, certificate: string | null): Promise<Partial<Observed>> {
    const lines = certificate === null ? [] : forwarded(read(`certs/${certificate}.pem`));
    const body = { grant_type: 'client_credentials', client_id: clientId };
    const response = await sendRequest(urlOf(service), { body, lines: [...lines, 'Connection: close'] });
    return readResponse(response.status, JSON.parse(response.body));
  }

  test.each(observed.map((row) => [row.client_id, row.certificate, row] as const))(
    '%s with certificate %s gets what IdentityServer gave, or a wanted difference',
    async (clientId, certificate, row) => {
      const { difference, instead } = wanted[`${clientId} ${certificate}`] ?? {};
      const { client_id: _, certificate: __, ...same } = row;
      const expected = instead ?? same;
      expect(await request(clientId, certificate)).toEqual(
        source === 'configuration.db' ? withTexts(expected) : expected,
      );
      const draft = drafts.find(({ label }) => label === clientId);
      if (difference === 'left out') expect(draft?.kind).toBe('skipped');
      else if (difference !== undefined)
        expect(draft?.notes.map((note) => note.difference)).toContain(differences[difference].title);
    },
  );

  test.each(['expired', 'client-ca2', 'self-samename', 'client-server-eku'])(
    'certificate %s gets no token',
    async (name) => {
      const clients = [...new Set(observed.map(({ client_id }) => client_id))];
      const responses = await Promise.all(clients.map((clientId) => request(clientId, name)));
      expect(responses).toEqual(clients.map(() => ({ status: 400, error: 'invalid_client' })));
    },
  );

  test('an isolated resource is in aud only if the request names it', async () => {
    const body = { grant_type: 'client_credentials', client_id: 'props', resource: 'https://isolated.example' };
    const lines = [...forwarded(read('certs/client.pem')), 'Connection: close'];
    const response = await sendRequest(urlOf(service), { body, lines });
    expect(readResponse(response.status, JSON.parse(response.body)).claims?.aud).toBe('https://isolated.example');
  });
});

test('every wanted difference is in the documentation', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/move-from-identityserver.md'), 'utf8');
  for (const { title } of Object.values(differences)) expect(page).toContain(title);
});

test('every certificate of the case is used', () => {
  const used = new Set([...observed.map(({ certificate }) => certificate), 'ca', 'ca2']);
  const hostile = ['expired', 'client-ca2', 'self-samename', 'client-server-eku'];
  expect(
    readdirSync(join(files, 'certs'))
      .map((name) => name.replace('.pem', ''))
      .filter((name) => !used.has(name))
      .sort(),
  ).toEqual(hostile.sort());
});

describe('a subject as .NET prints it, in a secret of type X509Name,', () => {
  const rows: readonly { subject: string; certificate: string }[] = rowsOf('dotnet-subjects.jsonl');
  const certificates = rows.map(({ certificate }) => parseClientCertificate(Buffer.from(certificate, 'base64')));
  const clientOf = (subject: string) => {
    const client = {
      ClientId: 'a',
      AllowedGrantTypes: ['client_credentials'],
      AllowedScopes: ['x'],
      ClientSecrets: [{ Type: 'X509Name', Value: subject }],
    };
    return validateDrafts(readIdentityServer(JSON.stringify([client]), now).drafts, now)[0];
  };

  test.each(rows.map(({ subject }, index) => [subject, index] as const))(
    '%j is the name of its own certificate alone, or of none if a value is empty',
    (subject, own) => {
      const draft = clientOf(subject);
      // A certificate with an empty value in its subject matches no client (docs/subject-dn.md).
      if (/=""(?:,|$)/.test(subject)) {
        expect(draft).toMatchObject({ kind: 'skipped', reason: expect.stringContaining('an empty value') });
        return;
      }
      expect(draft?.notes.map((note) => note.difference)).not.toContain(differences.never_worked.title);
      const parsed = parseClient(draft?.record, defaultPolicy, now);
      const [registration] = parsed.ok ? parsed.client.registrations : [];
      if (!registration) throw new Error('no registration', { cause: parsed });
      const matching = certificates.flatMap((certificate, index) =>
        recognizes(registration, certificate) ? [index] : [],
      );
      expect(matching).toEqual([own]);
    },
  );
});

function urlOf(service: ServiceInProcess): string {
  return `http://127.0.0.1:${portOf(service.address)}`;
}

function forwarded(pem: string): string[] {
  return [`X-SSL-Client-Cert: ${encodeURIComponent(pem)}`, 'X-SSL-Client-Verify: SUCCESS'];
}

/** As the case describes a response: of a token, the claims that differ between clients. */
function readResponse(status: number, body: Readonly<Record<string, unknown>>): Partial<Observed> {
  const { error, expires_in, scope, access_token: accessToken } = body;
  if (typeof accessToken !== 'string') return { status, error: String(error) };
  const payload = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
  const { iss, iat, nbf, exp, cnf, jti, sub, ...claims } = payload;
  expect(sub).toBe(claims.client_id);
  expect(Object.keys(cnf)).toEqual(['x5t#S256']);
  expect([exp - iat, nbf, typeof jti, iss]).toEqual([expires_in, iat, 'string', 'https://auth.example']);
  return { status, expires_in: Number(expires_in), ...(scope !== undefined && { scope: String(scope) }), claims };
}

/** The database has no types of claims. */
function withTexts({ claims, ...row }: Partial<Observed>): Partial<Observed> {
  if (claims === undefined) return row;
  const texts = Object.entries(claims).map(([name, value]) => [
    name,
    typeof value === 'number' ? String(value) : value,
  ]);
  return { ...row, claims: Object.fromEntries(texts) };
}

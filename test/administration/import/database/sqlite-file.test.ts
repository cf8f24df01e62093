import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { readSqliteFile } from '../../../../src/administration/import/identity-server/database/sqlite-file.ts';
import { isSqliteFile } from '../../../../src/administration/import/identity-server/database/sqlite-header.ts';
import { readConfiguration } from '../../../../src/administration/import/identity-server/identity-server.ts';
import { importedClients } from '../../../support/imported-clients.ts';
import { repositoryRoot } from '../../../support/repository-root.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const source = join(repositoryRoot, 'test/cases/identityserver-configuration/configuration.db');
const now = Date.parse('2026-11-30T00:00:00Z');
const folder = temporaryDirectory();
let copies = 0;

/** A copy of the database of a real IdentityServer, after these statements. */
function database(statements = ''): string {
  copies += 1;
  const path = join(folder, `${copies} 100%41?.db`);
  copyFileSync(source, path);
  if (statements !== '') {
    const copy = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    copy.exec(statements);
    copy.close();
  }
  return path;
}

const read = (path: string) =>
  importedClients(readConfiguration([{ name: path, root: readSqliteFile(path) }], now), now);
const clientOf = (path: string, id: string) => read(path).clients.find(({ client_id: other }) => other === id);

describe('a SQLite database of IdentityServer', () => {
  test('becomes client records', () => {
    expect(clientOf(source, 'mtls.tb')).toMatchObject({
      client_name: 'Sensor 7',
      scope: 'api1 api2',
      access_token_lifetime: 3600,
      client_secrets: [{ type: 'X509Thumbprint', description: 'since 2025', expiration: '2031-12-31T00:00:00Z' }],
    });
    // In the tables, the values of claims have no type.
    expect(clientOf(source, 'claims.prefix')).toMatchObject({ claims: { client_level: '3' } });
  });

  test.each([
    [`UPDATE Clients SET IdentityTokenLifetime = 0 WHERE ClientId = 'web'`, 'IdentityTokenLifetime is 0'],
    [`DELETE FROM ClientRedirectUris`, 'RedirectUris is empty'],
    [
      `INSERT INTO ClientCorsOrigins (Id, Origin, ClientId) SELECT 999, 'https://web.example/', Id FROM Clients WHERE ClientId = 'web'`,
      'AllowedCorsOrigins has "https://web.example/"',
    ],
    [
      `INSERT INTO ClientPostLogoutRedirectUris (Id, PostLogoutRedirectUri, ClientId) SELECT 999, 'data:x', Id FROM Clients WHERE ClientId = 'web'`,
      'the redirect URI "data:x" has a forbidden scheme',
    ],
  ])('has a client that IdentityServer rejects after %s, which is noted', (statement, reason) => {
    expect(read(database()).notes.join()).not.toContain(reason);
    const notes = read(database(statement)).notes.filter((note) => note.includes('never worked there'));
    expect(notes).toContainEqual(expect.stringContaining(reason));
  });

  test('is read while nothing is written beside it', () => {
    const path = database();
    const before = readFileSync(path);
    read(path);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${copies} `))).toHaveLength(1);
  });

  test('is read with what is in its write-ahead log alone', () => {
    const path = database();
    const server = new DatabaseSync(path);
    server.exec('PRAGMA wal_autocheckpoint = 0');
    server.exec("UPDATE Clients SET ClientName = 'Sensor 8' WHERE ClientId = 'mtls.tb'");
    expect(clientOf(path, 'mtls.tb')).toMatchObject({ client_name: 'Sensor 8' });
    server.close();
  });

  test('is read with a prefix, in another case, and with underscores', () => {
    const path = database(
      readTables()
        .map(
          (table) =>
            `ALTER TABLE "${table}" RENAME TO "IDS_${table.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}";`,
        )
        .join('\n'),
    );
    expect(read(path).clients).toEqual(read(source).clients);
  });

  test('is read without the columns that older versions lack', () => {
    const path = database(
      'ALTER TABLE Clients DROP COLUMN RequireDPoP; ALTER TABLE ApiResources DROP COLUMN RequireResourceIndicator',
    );
    expect(read(path).clients.length).toBe(read(source).clients.length);
  });

  test.each([
    ['a table', 'DROP TABLE ClientSecrets', /^has no table ClientSecrets: import a complete copy/],
    [
      'a column',
      'ALTER TABLE ClientSecrets DROP COLUMN Description',
      /^lacks the columns ClientSecrets\.Description: /,
    ],
    ['all tables', dropTables(/./), /^is a SQLite database, but not of IdentityServer: expected .* tables Clients,/],
    [
      'all tables but those of the operational store',
      `${dropTables(/./)} CREATE TABLE PersistedGrants (Id INTEGER)`,
      /^is IdentityServer's operational store: expected its configuration store/,
    ],
    [
      'the tables of IdentityServer4 4.0',
      'DROP TABLE ApiResourceScopes; CREATE TABLE ApiSecrets (Id INTEGER)',
      /^has no table ApiResourceScopes, as in IdentityServer4 before 4\.0: /,
    ],
    [
      'text in place of bytes',
      "UPDATE Clients SET ClientName = x'00ff'",
      /^cannot be read by SQLite: JSON cannot hold BLOB/,
    ],
  ])('is rejected without %s, by name', (_, statements, message) => {
    expect(() => read(database(statements))).toThrow(message);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), /is damaged or cut off/],
    [
      'cut off in its header',
      (bytes: Buffer) => bytes.subarray(0, 60),
      /is encrypted or damaged|is damaged or cut off/,
    ],
    [
      'encrypted behind its header',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 16), Buffer.alloc(bytes.length - 16, 0xa5)]),
      /is encrypted or damaged/,
    ],
  ])('is rejected if it is %s', (_, damage, message) => {
    const path = database();
    writeFileSync(path, damage(readFileSync(path)));
    expect(isSqliteFile(path)).toBe(true);
    expect(() => read(path)).toThrow(message);
  });

  test('is rejected if its index hides a secret', () => {
    const path = database('PRAGMA writable_schema = ON');
    const bytes = readFileSync(path);
    const copy = new DatabaseSync(path);
    const page = copy.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'IX_ClientSecrets_ClientId'").get();
    copy.close();
    // An empty leaf page of an index.
    const offset = (Number(page?.rootpage) - 1) * bytes.readUInt16BE(16);
    bytes.writeUInt16BE(0, offset + 3);
    writeFileSync(path, bytes);
    expect(() => read(path)).toThrow(/^the table ClientSecrets is damaged: /);
  });

  test('is rejected while another program writes, with the way to copy it', () => {
    const path = database('PRAGMA journal_mode = DELETE');
    const server = new DatabaseSync(path);
    server.exec('BEGIN EXCLUSIVE');
    expect(() => read(path)).toThrow(/is locked by another program: .*\.backup COPY/);
    server.close();
  });

  test('keeps hostile texts as they are, and null values as absent ones', () => {
    const id = 'a\'"`;\\--\n\u0000\u2028😀';
    const path = database();
    const copy = new DatabaseSync(path);
    copy
      .prepare("UPDATE Clients SET ClientName = ?, ClientClaimsPrefix = NULL WHERE ClientId = 'claims.prefix'")
      .run(id);
    copy.close();
    const client = clientOf(path, 'claims.prefix');
    expect(client).toMatchObject({ claims: { role: ['reader', 'writer'], level: '3' } });
    expect(client?.client_name).toBe(id);
  });
});

function readTables(): string[] {
  // A copy: to read a database in WAL mode, SQLite writes files beside it.
  const copy = new DatabaseSync(database(), { readOnly: true });
  try {
    const query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    return copy
      .prepare(query)
      .all()
      .map(({ name }) => String(name));
  } finally {
    copy.close();
  }
}

function dropTables(pattern: RegExp): string {
  return readTables()
    .filter((name) => pattern.test(name))
    .map((name) => `DROP TABLE "${name}";`)
    .join('\n');
}

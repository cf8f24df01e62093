import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  assumedNames,
  type DatabaseName,
  storeQuery,
} from '../../../../src/administration/import/identity-server/database/query.ts';
import { readSqliteFile } from '../../../../src/administration/import/identity-server/database/sqlite-file.ts';
import { readConfiguration } from '../../../../src/administration/import/identity-server/identity-server.ts';
import { runCountersign } from '../../../support/countersign.ts';
import {
  type DatabaseServer,
  haveDatabaseServers,
  startMariadb,
  startPostgresql,
} from '../../../support/database-servers.ts';
import { identityServerTables } from '../../../support/identity-server-tables.ts';
import { readIdentityServer } from '../../../support/imported-clients.ts';
import { repositoryRoot } from '../../../support/repository-root.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = join(folder, 'configuration.db');
const now = Date.parse('2026-11-30T00:00:00Z');
const query = (database: DatabaseName, schema?: string) => storeQuery(database, assumedNames(schema));
const CLIENTS = 70;
/** Of all descriptions together: more than MariaDB puts into one array by default. */
const DESCRIPTION_LENGTH = 16_000;

/** Adds hostile texts and clients to the database of a real IdentityServer. */
function makeDatabase(): void {
  copyFileSync(join(repositoryRoot, 'test/cases/identityserver-configuration/configuration.db'), file);
  const database = new DatabaseSync(file);
  const texts = [
    'a\'b"c`d\\e\\\\',
    'line\nbreak\r\ttab',
    '😀ä\u2028\u3000',
    '","IdentityServer":{"Clients":[]}}',
    "''--;",
    '&quot;""',
    ' | x ',
  ];
  const columns = database
    .prepare('PRAGMA table_info(Clients)')
    .all()
    .flatMap(({ name }) => (name === 'Id' || name === 'ClientId' ? [] : [name]));
  const copyOf = `INSERT INTO Clients (ClientId, ${columns.join(', ')}) SELECT ?, ${columns.join(', ')} FROM Clients WHERE Id = 6`;
  database.exec('BEGIN');
  for (let index = 0; index < CLIENTS; index += 1) {
    const text = texts[index % texts.length] ?? '';
    const { lastInsertRowid: id } = database.prepare(copyOf).run(`${text}${index}`);
    const prefix = index % 2 === 0 ? null : 'p_';
    database
      .prepare('UPDATE Clients SET Description = ?, ClientClaimsPrefix = ? WHERE Id = ?')
      .run(text.repeat(DESCRIPTION_LENGTH / text.length), prefix, id);
    database.prepare("INSERT INTO ClientGrantTypes (GrantType, ClientId) VALUES ('client_credentials', ?)").run(id);
    database.prepare("INSERT INTO ClientScopes (Scope, ClientId) VALUES ('api1', ?)").run(id);
    database.prepare('INSERT INTO ClientClaims (Type, Value, ClientId) VALUES (?, ?, ?)').run(text, text, id);
    const expiration = ['2031-12-31 00:00:00', '2031-12-31 23:59:59.1234567', null][index % 3] ?? null;
    database
      .prepare(
        "INSERT INTO ClientSecrets (ClientId, Type, Value, Description, Expiration, Created) VALUES (?, 'X509Name', ?, ?, ?, '2025-01-01')",
      )
      .run(id, `CN=client ${index}`, text, expiration);
  }
  database.exec('COMMIT');
  database.close();
}

describe.skipIf(!haveDatabaseServers())('the query that reads IdentityServer from its database', () => {
  let postgresql: DatabaseServer;
  let mariadb: DatabaseServer;
  let expected: ReturnType<typeof readConfiguration>;

  beforeAll(async () => {
    makeDatabase();
    expected = readConfiguration([{ name: file, root: readSqliteFile(file) }], now);
    [postgresql, mariadb] = await Promise.all([startPostgresql(), startMariadb()]);
    await postgresql.client(['-q'], identityServerTables('postgresql', file));
    await mariadb.client([], identityServerTables('mysql', file));
  });
  afterAll(() => Promise.all([postgresql?.stop(), mariadb?.stop()]));

  test.each([
    [['-At']],
    [[]],
    [['-x']],
    [['--csv']],
    [['-H']],
    [['-P', 'border=2', '-P', 'linestyle=unicode']],
    [['-At', '-c', "SET TIME ZONE 'America/New_York'", '-f', '-']],
  ])('yields the same with psql %s', async (args) => {
    expect(readIdentityServer(await postgresql.client(args, query('postgresql')), now)).toEqual(expected);
  });

  test.each([[['-N', '-r']], [[]], [['-N']], [['-t']], [['-E']], [['-X']], [['-H']]])(
    'yields the same with mariadb %s',
    async (args) => {
      const output = await mariadb.client(args, query('mysql'));
      expect(readIdentityServer(output, now)).toEqual(expected);
    },
  );

  test.each([
    [
      'characters that the connection lacks',
      () => mariadb.client(['--default-character-set=latin1', '-N', '-r'], query('mysql')),
    ],
    [
      'lines that psql wraps',
      () => postgresql.client(['-P', 'format=wrapped', '-P', 'columns=80'], query('postgresql')),
    ],
  ])('is rejected with %s', async (_, output) => {
    const text = await output();
    expect(() => readIdentityServer(text, now)).toThrow(/differs from its checksum/);
  });

  test('never yields fewer clients if its output is cut off', async () => {
    const output = await postgresql.client(['-At'], query('postgresql'));
    for (let part = 1; part < 20; part += 1) {
      expect(() => readIdentityServer(output.slice(0, (output.length * part) / 20), now)).toThrow();
    }
  });

  test('changes nothing, and does not read hashes of shared secrets', async () => {
    const readOnly = `SET default_transaction_read_only = on;\n${query('postgresql')}`;
    const output = await postgresql.client(['-At'], readOnly);
    const hash = await postgresql.client(
      ['-At'],
      `SELECT "Value" FROM "ClientSecrets" WHERE "Type" = 'SharedSecret' LIMIT 1;`,
    );
    expect(hash.trim()).not.toBe('');
    expect(output).not.toContain(hash.trim());
  });

  test('is printed alone by the command, which imports its output from a file in UTF-16 as well', async () => {
    const printed = await runCountersign(['clients', 'import', 'identityserver', '--query', 'postgresql']);
    expect([printed.code, printed.stderr, printed.stdout]).toEqual([0, '', query('postgresql')]);
    const result = join(folder, 'result.txt');
    writeFileSync(result, Buffer.from(`\uFEFF${await postgresql.client([], printed.stdout)}`, 'utf16le'));
    const [fromQuery, fromFile] = await Promise.all(
      [result, file].map((path) => runCountersign(['clients', 'import', 'identityserver', path])),
    );
    const records = (yaml = '') => yaml.slice(yaml.indexOf('\n'));
    expect(records(fromQuery?.stdout)).toBe(records(fromFile?.stdout));
    expect(fromQuery?.stderr).toBe(fromFile?.stderr);
  });

  test('reads the tables of IdentityServer4, in another schema', async () => {
    const columns = { Clients: 'RequireDPoP', ApiResources: 'RequireResourceIndicator' };
    const dropped = (quote: string) =>
      Object.entries(columns)
        .map(([table, column]) => `ALTER TABLE ${quote}${table}${quote} DROP COLUMN ${quote}${column}${quote};`)
        .join('\n');
    await postgresql.client(['-q'], `${dropped('"')}\nALTER SCHEMA public RENAME TO ids;`);
    await mariadb.client([], dropped('`'));
    const clients = async (output: Promise<string>) => readIdentityServer(await output, now).drafts.length;
    expect(await clients(postgresql.client(['-At'], query('postgresql', 'ids')))).toBe(expected.drafts.length);
    expect(await clients(mariadb.client(['-N', '-r'], query('mysql', 'ids')))).toBe(expected.drafts.length);
  });
});

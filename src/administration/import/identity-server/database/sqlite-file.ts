import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Json } from '../../../../clients/json-value.ts';
import { ImportError } from '../../draft.ts';
import { storeQuery } from './query.ts';
import { parseQueryResult } from './query-result.ts';
import { isCheckpointed } from './sqlite-header.ts';
import { findStoreNames } from './sqlite-names.ts';
import { tableNames } from './tables.ts';

/** IdentityServer may be writing. */
const BUSY_MILLISECONDS = 5_000;

/**
 * Reads the configuration from IdentityServer's tables in a SQLite database, as the printed query does. The database is
 * not changed, and if no program has it open, nothing is written beside it.
 *
 * @throws {ImportError} if SQLite cannot read the file, or it does not have IdentityServer's tables
 */
export function readSqliteFile(path: string): Json {
  const url = pathToFileURL(path);
  if (isCheckpointed(path)) url.search = '?immutable=1';
  try {
    const database = new DatabaseSync(url, { readOnly: true, timeout: BUSY_MILLISECONDS });
    try {
      return readConfiguration(database);
    } finally {
      database.close();
    }
  } catch (error) {
    if (isSqliteError(error)) throw new ImportError(explain(error));
    throw error;
  }
}

function readConfiguration(database: DatabaseSync): Json {
  // One transaction: what another program commits between two statements must not be mixed in.
  database.exec('BEGIN');
  const names = findStoreNames(database);
  for (const table of tableNames) requireIntact(database, names.table(table).join('.'));
  const row = database.prepare(storeQuery('sqlite', names)).get();
  const configuration = parseQueryResult(String(row?.countersign));
  if (configuration === undefined) throw new ImportError('the query returned no configuration');
  return configuration;
}

/** A damaged index would hide secrets or scopes of a client. */
function requireIntact(database: DatabaseSync, table: string): void {
  const [row] = database.prepare(`PRAGMA integrity_check("${table.replaceAll('"', '""')}")`).all();
  const problem = String(row?.integrity_check);
  if (problem !== 'ok') throw new ImportError(`the table ${table} is damaged: ${problem}. ${COPY_ANEW}`);
}

const COPY_ANEW = 'Copy the database anew with `sqlite3 FILE ".backup COPY"`';

interface SqliteError extends Error {
  /** A result code of SQLite, possibly an extended one. */
  readonly errcode: number;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** By result codes of SQLite. */
const explanations: Readonly<Record<number, string>> = {
  5: `is locked by another program: stop IdentityServer, or import a copy. ${COPY_ANEW}`, // SQLITE_BUSY
  8: 'cannot be read with its -wal file: copy both to a folder that you can write', // SQLITE_READONLY
  11: `is a SQLite database that is damaged or cut off. ${COPY_ANEW}`, // SQLITE_CORRUPT
  14: 'cannot be opened by SQLite: check the permissions, or copy it with its -wal file to a folder that you can write', // SQLITE_CANTOPEN
  26: 'is a SQLite database that is encrypted or damaged: export it without a password', // SQLITE_NOTADB
};

const PRIMARY_CODE = 0xff;

function explain({ errcode, message }: SqliteError): string {
  return explanations[errcode & PRIMARY_CODE] ?? `cannot be read by SQLite: ${message}`;
}

import type { DatabaseSync } from 'node:sqlite';
import { ImportError } from '../../draft.ts';
import type { StoreNames } from './query.ts';
import { type Column, storeTables, tableNames } from './tables.ts';

/** The columns of each table, by their names in the database. */
type Schema = ReadonlyMap<string, readonly string[]>;

/**
 * Finds IdentityServer's tables in a database: also with a prefix, in another case, or with underscores, all of which its
 * options and those of Entity Framework can set.
 *
 * @throws {ImportError} that names the missing tables or columns
 */
export function findStoreNames(database: DatabaseSync): StoreNames {
  const schema = readSchema(database);
  const tables = findTables([...schema.keys()]);
  const columnOf = (table: string, name: string) => findName(schema.get(tables.get(table) ?? '') ?? [], name);
  requireColumns(tables, columnOf);
  return { table: (name) => [tables.get(name) ?? name], column: columnOf, areAssumed: false };
}

function readSchema(database: DatabaseSync): Schema {
  const query =
    "SELECT t.name AS tableName, c.name AS columnName FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type IN ('table', 'view')";
  const schema = new Map<string, string[]>();
  for (const { tableName, columnName } of database.prepare(query).all()) {
    const table = String(tableName);
    schema.set(table, [...(schema.get(table) ?? []), String(columnName)]);
  }
  return schema;
}

/** The tables of the database by IdentityServer's names for them. */
function findTables(names: readonly string[]): ReadonlyMap<string, string> {
  const prefixes = names
    .map(normalized)
    .flatMap((name) => (name.endsWith(CLIENTS) ? [name.slice(0, -CLIENTS.length)] : []));
  const found = [...new Set(prefixes)].map((prefix) => {
    const entries = tableNames.map((table) => [table, findName(names, prefix + table)] as const);
    return new Map(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
  });
  const complete = found.filter(({ size }) => size === tableNames.length);
  const [only, second] = complete;
  if (only && second) {
    throw new ImportError(
      `has the tables of more than one IdentityServer: ${complete.map((tables) => tables.get('Clients')).join(', ')}. ` +
        'Import a copy without the others',
    );
  }
  if (only) return only;
  throw new ImportError(explainMissing(names, found.toSorted((a, b) => b.size - a.size)[0]));
}

const CLIENTS = 'clients';

function explainMissing(names: readonly string[], nearest: ReadonlyMap<string, string> | undefined): string {
  if (!nearest?.has('Clients') || nearest.size === 1) {
    const isOperational = findName(names, 'PersistedGrants') !== undefined;
    const what = isOperational ? "IdentityServer's operational store" : 'a SQLite database, but not of IdentityServer';
    return `is ${what}: expected its configuration store, with the tables Clients, ClientSecrets and ${tableNames.length - 2} more`;
  }
  const missing = tableNames.filter((table) => !nearest.has(table));
  const isVersion3 = missing.includes('ApiResourceScopes') && findName(names, 'ApiSecrets') !== undefined;
  const reason = isVersion3 ? ', as in IdentityServer4 before 4.0: update its tables with the migrations of 4.0' : '';
  return `has no table ${missing.join(', ')}${reason || ": import a complete copy of IdentityServer's configuration store"}`;
}

function requireColumns(
  tables: ReadonlyMap<string, string>,
  columnOf: (table: string, name: string) => string | undefined,
): void {
  const required = (columns: readonly Column[]) =>
    columns.filter((column) => !column.isOptional).map(({ name }) => name);
  const expected = storeTables.flatMap(({ table, columns, children }) => [
    ...['Id', ...required(columns)].map((name) => ({ table, name })),
    ...children.flatMap((child) =>
      ['Id', child.foreignKey, ...required(child.columns)].map((name) => ({ table: child.table, name })),
    ),
  ]);
  const missing = expected.filter(({ table, name }) => columnOf(table, name) === undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ table, name }) => `${tables.get(table)}.${name}`).join(', ');
  throw new ImportError(
    `lacks the columns ${names}: update its tables with the migrations of IdentityServer4 4.0 or later`,
  );
}

function findName(names: readonly string[], name: string): string | undefined {
  return names.find((each) => normalized(each) === normalized(name));
}

/** As naming conventions change a name: `ApiScopes`, `API_SCOPES`. */
function normalized(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

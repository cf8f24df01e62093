import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

/** The types that Entity Framework gives to columns: by Npgsql for PostgreSQL, by Pomelo for MySQL and MariaDB. */
const columnTypes = {
  postgresql: {
    flag: 'boolean',
    number: 'integer',
    instant: 'timestamp with time zone',
    duration: 'interval',
    text: 'text',
  },
  mysql: {
    flag: 'tinyint(1)',
    number: 'int',
    instant: 'datetime(6)',
    duration: 'time(6)',
    text: 'longtext CHARACTER SET utf8mb4',
  },
} as const;

type ColumnKind = keyof (typeof columnTypes)['postgresql'];

/** What SQLite stores as an integer or a text. */
const kinds: readonly (readonly [RegExp, ColumnKind])[] = [
  [/^(?:Created|Updated|LastAccessed|Expiration)$/, 'instant'],
  [/^DPoPClockSkew$/, 'duration'],
  [
    /^(?:Require(?:d|[A-Z]\w+)|Enable(?:d|[A-Z]\w+)|Allow(?!ed)\w+|Always\w+|\w+Required|Emphasize|NonEditable)$/,
    'flag',
  ],
  [/^(?:ShowIn|UpdateAccess|IncludeJwt|CoordinateLifetime)\w+$/, 'flag'],
];

interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** Statements that make the tables of a SQLite database, with their rows, in another database. */
export function identityServerTables(database: keyof typeof columnTypes, sqliteFile: string): string {
  const source = new DatabaseSync(sqliteFile, { readOnly: true });
  try {
    const tables = source
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all();
    return tables.map(({ name }) => tableStatements(source, String(name), database)).join('\n');
  } finally {
    source.close();
  }
}

function tableStatements(source: DatabaseSync, table: string, database: keyof typeof columnTypes): string {
  const quote = (name: string) => (database === 'mysql' ? `\`${name}\`` : `"${name}"`);
  const columns = source.prepare(`PRAGMA table_info("${table}")`).all().map(columnOf);
  const definitions = columns.map(({ name, kind }) => `${quote(name)} ${columnTypes[database][kind]}`);
  const rows = source.prepare(`SELECT * FROM "${table}"`).all();
  const values = rows.map(
    (row) => `(${columns.map((column) => literal(row[column.name], column, database)).join(', ')})`,
  );
  return [
    `CREATE TABLE ${quote(table)} (${definitions.join(', ')});`,
    ...columns
      .filter(isKey)
      .map(({ name }) => `CREATE INDEX ${quote(`IX_${table}_${name}`)} ON ${quote(table)} (${quote(name)});`),
    ...(values.length > 0 ? [`INSERT INTO ${quote(table)} VALUES\n${values.join(',\n')};`] : []),
  ].join('\n');
}

/** The key of a row, or that of its parent. */
function isKey({ name, kind }: Column): boolean {
  return kind === 'number' && name.endsWith('Id');
}

function columnOf({ name, type }: Record<string, SQLOutputValue>): Column {
  const [, kind = type === 'INTEGER' ? 'number' : 'text'] = kinds.find(([pattern]) => pattern.test(String(name))) ?? [];
  return { name: String(name), kind };
}

function literal(value: SQLOutputValue | undefined, { kind }: Column, database: keyof typeof columnTypes): string {
  if (value === null || value === undefined) return 'NULL';
  if (kind === 'flag') return value === 1 ? 'true' : 'false';
  if (typeof value === 'number') return String(value);
  const text = String(value).replaceAll("'", "''");
  if (kind === 'instant' && database === 'postgresql') return `'${text}+00'`;
  return database === 'mysql' ? `'${text.replaceAll('\\', '\\\\')}'` : `'${text}'`;
}

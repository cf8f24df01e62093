/** A member of a JSON object. */
export interface Field {
  readonly name: string;
  readonly sql: string;
  /** Whether the value is JSON, and not to be quoted. */
  readonly isJson: boolean;
}

/** A SELECT whose rows become an array of objects. */
interface Rows {
  readonly fields: readonly Field[];
  readonly from: readonly string[];
  readonly where: string | undefined;
  readonly orderBy: string;
}

/** How a database writes identifiers and JSON. */
export interface DatabaseDialect {
  readonly quote: (identifier: string) => string;
  /** A Boolean column as a value that becomes `true` or `false`, or 1 or 0. */
  readonly flag: (sql: string) => string;
  readonly object: (fields: readonly Field[]) => string;
  /** An array; empty without rows. */
  readonly rows: (rows: Rows) => string;
  /** The complete SELECT: an object with these members below `IdentityServer`, after its checksum. */
  readonly document: (fields: readonly Field[]) => string;
}

const same = (sql: string) => sql;
const doubleQuoted = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;

/** `FROM … WHERE …`, and the order where the array itself has none. */
function source({ from, where }: Rows, order = ''): string {
  return `FROM ${from.join(', ')}${where === undefined ? '' : ` WHERE ${where}`}${order}`;
}

function selectList(fields: readonly Field[], quote: (identifier: string) => string): string {
  return fields.map(({ name, sql }) => `${sql} AS ${quote(name)}`).join(', ');
}

/** The arguments of `json_object`: names and values in turn. */
function members(fields: readonly Field[], json: (sql: string) => string): string {
  return fields.map(({ name, sql, isJson }) => `'${name}', ${isJson ? json(sql) : sql}`).join(', ');
}

/** `jsonb` writes no line breaks. `sha256` is there since PostgreSQL 11. */
const postgresql: DatabaseDialect = {
  quote: doubleQuoted,
  flag: same,
  object: (fields) => `jsonb_build_object(${members(fields, same)})`,
  rows: (rows) =>
    `(SELECT COALESCE(jsonb_agg(to_jsonb("r") ORDER BY "r"."Id"), '[]') FROM ` +
    `(SELECT ${selectList(rows.fields, doubleQuoted)} ${source(rows)}) AS "r")`,
  document: (fields) =>
    `SELECT '{"countersign_sha256":"' || encode(sha256(convert_to("d"."json", 'UTF8')), 'hex') || ` +
    `'","IdentityServer":' || "d"."json" || '}' AS "countersign" ` +
    `FROM (SELECT CAST(${postgresql.object(fields)} AS text) AS "json") AS "d"`,
};

const bracketed = (identifier: string) => `[${identifier.replaceAll(']', ']]')}]`;
/** Without null values, a client without ClientClaimsPrefix would get the default one. */
const FOR_JSON = 'FOR JSON PATH, INCLUDE_NULL_VALUES';

/**
 * Written by the documentation of SQL Server 2016 and later. The last FOR JSON divides its output into rows of 2,033
 * characters, which clients print as lines; with each space as an escape, white space in the output is never data.
 */
const sqlserver: DatabaseDialect = {
  quote: bracketed,
  flag: same,
  object: (fields) => `(SELECT ${selectList(fields, bracketed)} ${FOR_JSON}, WITHOUT_ARRAY_WRAPPER)`,
  rows: (rows) =>
    `ISNULL((SELECT ${selectList(asJson(rows.fields), bracketed)} ${source(rows, ` ORDER BY ${rows.orderBy}`)} ` +
    `${FOR_JSON}), N'[]')`,
  document: (fields) =>
    `SELECT LOWER(CONVERT(varchar(64), HASHBYTES('SHA2_256', [d].[json]), 2)) AS [countersign_sha256], ` +
    `JSON_QUERY([d].[json]) AS [IdentityServer] FROM (SELECT REPLACE(${sqlserver.object(asJson(fields))} ` +
    `COLLATE Latin1_General_BIN2, N' ', N'\\u0020') AS [json]) AS [d] ${FOR_JSON}, WITHOUT_ARRAY_WRAPPER`,
};

function asJson(fields: readonly Field[]): Field[] {
  return fields.map((field) => (field.isJson ? { ...field, sql: `JSON_QUERY(${field.sql})` } : field));
}

const backquoted = (identifier: string) => `\`${identifier.replaceAll('`', '``')}\``;

/**
 * MySQL 5.7.22 and MariaDB 10.5, which cuts an array off after `group_concat_max_len`; MySQL reads the part that raises it as
 * a comment. MariaDB takes the JSON of a subquery for a string. A flag may be a bit field.
 */
const mysql: DatabaseDialect = {
  quote: backquoted,
  flag: (sql) => `${sql} + 0`,
  object: (fields) => `JSON_OBJECT(${members(fields, (sql) => `JSON_EXTRACT(${sql}, '$')`)})`,
  rows: (rows) => `COALESCE((SELECT JSON_ARRAYAGG(${mysql.object(rows.fields)}) ${source(rows)}), '[]')`,
  document: (fields) =>
    '/*M! SET STATEMENT group_concat_max_len = 4294967295 FOR */ ' +
    `SELECT CONCAT('{"countersign_sha256":"', SHA2(CONVERT(\`d\`.\`json\` USING utf8mb4), 256), ` +
    `'","IdentityServer":', \`d\`.\`json\`, '}') AS \`countersign\` ` +
    `FROM (SELECT CAST(${mysql.object(fields)} AS CHAR) AS \`json\`) AS \`d\``,
};

/** SQLite has no hash functions; its tools do not convert characters, so that the length shows every change. */
const sqlite: DatabaseDialect = {
  quote: doubleQuoted,
  flag: same,
  object: (fields) => `json_object(${members(fields, (sql) => `json(${sql})`)})`,
  rows: (rows) => `(SELECT json_group_array(${sqlite.object(rows.fields)}) ${source(rows)})`,
  document: (fields) =>
    `SELECT '{"countersign_length":' || length("d"."json") || ',"IdentityServer":' || "d"."json" || '}' ` +
    `AS "countersign" FROM (SELECT ${sqlite.object(fields)} AS "json") AS "d"`,
};

/** By the names of `--query`. */
export const dialects = { postgresql, sqlserver, mysql, sqlite } as const satisfies Record<string, DatabaseDialect>;

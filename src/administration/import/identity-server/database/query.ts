import { type DatabaseDialect, dialects, type Field } from './dialects.ts';
import { type ChildTable, type Column, type StoreTable, storeTables } from './tables.ts';

/** The names of tables and columns in a particular database. */
export interface StoreNames {
  /** The parts of a qualified name. */
  readonly table: (name: string) => readonly string[];
  /** Undefined if the table lacks the column. */
  readonly column: (table: string, name: string) => string | undefined;
  /** Whether optional columns may be missing although `column` names them. */
  readonly areAssumed: boolean;
}

/** The databases whose query `countersign clients import identityserver --query` prints. */
export type DatabaseName = keyof typeof dialects;

/** Safe: the table is closed, so its keys are the names. */
export const databaseNames = Object.keys(dialects) as DatabaseName[];

/**
 * The names that IdentityServer gives to its tables.
 *
 * @param schema of the tables, if it is not the default one of the connection
 */
export function assumedNames(schema: string | undefined): StoreNames {
  return {
    table: (name) => (schema === undefined ? [name] : [schema, name]),
    column: (_, name) => name,
    areAssumed: true,
  };
}

/**
 * One SELECT whose only value is the configuration as JSON, in the shape of the tables, with a checksum (see
 * `query-result.ts`).
 */
export function storeQuery(database: DatabaseName, names: StoreNames): string {
  const dialect: DatabaseDialect = dialects[database];
  const writer = new QueryWriter(dialect, names);
  const lists = storeTables.map((table) => ({ name: table.table, sql: `\n  ${writer.rowsOf(table)}`, isJson: true }));
  const counts = storeTables.map(({ table }) => ({
    name: table,
    sql: `(SELECT COUNT(*) FROM ${writer.table(table)})`,
    isJson: false,
  }));
  return `${dialect.document([...lists, { name: 'rows', sql: `\n  ${dialect.object(counts)}`, isJson: true }])};\n`;
}

/** Writes the parts of a query that differ neither between databases nor between versions of IdentityServer. */
class QueryWriter {
  readonly #dialect: DatabaseDialect;
  readonly #names: StoreNames;

  constructor(dialect: DatabaseDialect, names: StoreNames) {
    this.#dialect = dialect;
    this.#names = names;
  }

  table(name: string): string {
    return this.#names.table(name).map(this.#dialect.quote).join('.');
  }

  /** The rows of a table with those of its child tables, as an array. */
  rowsOf({ table, columns, children }: StoreTable): string {
    const absent = this.#names.areAssumed ? columns.filter(({ isOptional }) => isOptional) : [];
    const absentColumns = absent.map(({ name }) => `NULL AS ${this.#dialect.quote(name)}`);
    return this.#dialect.rows({
      fields: [
        this.#idOf(table, 't'),
        ...columns.map((column) => this.#fieldOf(table, column, 't')),
        ...children.map((each) => this.#childField(table, each)),
      ],
      from: [
        `${this.table(table)} AS ${this.#dialect.quote('t')}`,
        ...(absent.length > 0 ? [`(SELECT ${absentColumns.join(', ')}) AS ${this.#dialect.quote('absent')}`] : []),
      ],
      where: undefined,
      orderBy: this.#qualified('t', table, 'Id'),
    });
  }

  #childField(parent: string, { table, property, foreignKey, columns }: ChildTable): Field {
    const sql = this.#dialect.rows({
      fields: [this.#idOf(table, 'c'), ...columns.map((column) => this.#fieldOf(table, column, 'c'))],
      from: [`${this.table(table)} AS ${this.#dialect.quote('c')}`],
      where: `${this.#qualified('c', table, foreignKey)} = ${this.#qualified('t', parent, 'Id')}`,
      orderBy: this.#qualified('c', table, 'Id'),
    });
    return { name: property, sql: `\n    ${sql}`, isJson: true };
  }

  #idOf(table: string, alias: string): Field {
    return { name: 'Id', sql: this.#qualified(alias, table, 'Id'), isJson: false };
  }

  #fieldOf(table: string, column: Column, alias: string): Field {
    const { name, kind } = column;
    const value =
      column.isOptional && this.#names.areAssumed ? this.#probe(table, name) : this.#read(table, name, alias);
    const sql = {
      plain: value,
      flag: this.#dialect.flag(value),
      certificate: this.#certificate(table, value, alias),
      omitted: "''",
    }[kind];
    return { name, sql, isJson: false };
  }

  /**
   * The value of a column that the table may lack, or NULL: in a subquery, an unqualified name is a column of its own
   * table if there is one, and otherwise that of `absent` in the query around it.
   */
  #probe(table: string, column: string): string {
    const { quote } = this.#dialect;
    const isSameRow = `${this.#qualified('o', table, 'Id')} = ${this.#qualified('t', table, 'Id')}`;
    return `(SELECT ${quote(column)} FROM ${this.table(table)} AS ${quote('o')} WHERE ${isSameRow})`;
  }

  #read(table: string, column: string, alias: string): string {
    return this.#names.column(table, column) === undefined ? 'NULL' : this.#qualified(alias, table, column);
  }

  /** The value of a secret whose type is a certificate, however it is written. */
  #certificate(table: string, value: string, alias: string): string {
    return `CASE WHEN UPPER(${this.#qualified(alias, table, 'Type')}) LIKE '%X509%' THEN ${value} END`;
  }

  #qualified(alias: string, table: string, column: string): string {
    const { quote } = this.#dialect;
    return `${quote(alias)}.${quote(this.#names.column(table, column) ?? column)}`;
  }
}

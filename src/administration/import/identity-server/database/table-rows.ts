import { counted } from '../../../../text.ts';
import { ImportError } from '../../draft.ts';
import { itemsOf, type Member, type Section, sectionOf, textOf } from '../dotnet-configuration.ts';
import { type ChildTable, type StoreTable, storeTables } from './tables.ts';

/**
 * A configuration with the properties of IdentityServer's classes, from one in the shape of its tables: rows of child
 * tables within those of their parents (`"AllowedGrantTypes": [{"GrantType": …}]`), or in lists of their own
 * (`"ClientGrantTypes": [{"ClientId": 1, "GrantType": …}]`). Items that have the shape of the classes stay as they are.
 *
 * @throws {ImportError} if the rows of an essential child table are missing: every client would seem to have no grants
 */
export function fromTableRows(section: Section): Section {
  return new Map([...section].map(([key, member]) => [key, withoutRows(key, member, section)]));
}

function withoutRows(key: string, member: Member, lists: Section): Member {
  const table = tableOf(key);
  if (table === undefined || !hasTableRows(key, member)) return member;
  const rows = sortedById(itemsOf(member).map(({ value }) => value));
  requireChildren(table, rows, lists);
  return { ...member, value: rows.map((row) => (isRow(row, table) ? fromRow(sectionOf(row), table, lists) : row)) };
}

/** Whether a list of a configuration comes from a table. @param key its name in lower case */
export function hasTableRows(key: string, member: Member): boolean {
  const table = tableOf(key);
  return table !== undefined && itemsOf(member).some(({ value }) => isRow(value, table));
}

function tableOf(key: string): StoreTable | undefined {
  return storeTables.find(({ table }) => table.toLowerCase() === key);
}

/** Whether an item comes from a table. One that .NET cannot read does not; it is reported with its client. */
function isRow(item: unknown, table: StoreTable): boolean {
  try {
    return hasRowShape(item, table);
  } catch (error) {
    if (error instanceof ImportError) return false;
    throw error;
  }
}

/** IdentityServer's classes have no `Id`, and lists of texts where tables have rows. */
function hasRowShape(item: unknown, { children }: StoreTable): boolean {
  const row = sectionOf(item);
  if (hasRowColumns(row)) return true;
  return children.some(({ property, entityProperty, shape, columns }) => {
    if (entityProperty !== undefined && row.has(entityProperty.toLowerCase())) return true;
    const [column] = columns;
    const first = sectionOf(itemsOf(row.get(property.toLowerCase()))[0]?.value);
    return shape !== 'object' && column !== undefined && first.has(column.name.toLowerCase());
  });
}

function hasRowColumns(row: Section): boolean {
  return row.has('id') || row.has('noneditable');
}

/** Columns that are not properties of the classes. */
const rowColumns = new Set(['id', 'noneditable', 'created', 'updated', 'lastaccessed']);
/** Columns with a list that the classes have as such. */
const listColumns = new Set(['allowedaccesstokensigningalgorithms', 'allowedidentitytokensigningalgorithms']);

function fromRow(row: Section, { columns, children }: StoreTable, lists: Section): unknown {
  const flags = columns.filter(({ kind }) => kind === 'flag').map((column) => column.name.toLowerCase());
  const members = [...row].flatMap(([key, { name, value }]): [string, unknown][] => {
    const isChild = children.some((child) => childKeys(child).includes(key));
    if (isChild || (hasRowColumns(row) && rowColumns.has(key))) return [];
    if (flags.includes(key) && (value === 0 || value === 1)) return [[name, value === 1]];
    return [[name, listColumns.has(key) && typeof value === 'string' ? value.split(',') : value]];
  });
  const childMembers = children.flatMap((child): [string, unknown][] => {
    const rows = childRows(row, child, lists);
    return rows === undefined ? [] : [[child.property, fromChildRows(sortedById(rows), child)]];
  });
  return Object.fromEntries([...members, ...childMembers]);
}

/** The names of the property, in lower case. */
function childKeys({ property, entityProperty }: ChildTable): string[] {
  return [property, entityProperty].flatMap((name) => name?.toLowerCase() ?? []);
}

/** The rows of a child table that belong to a row; undefined if they are missing. */
function childRows(row: Section, child: ChildTable, lists: Section): unknown[] | undefined {
  const within = childKeys(child)
    .map((key) => row.get(key))
    .find((member) => member !== undefined && member.value !== null);
  if (within) return itemsOf(within).map(({ value }) => value);
  const id = textOf(row.get('id'));
  const list = lists.get(child.table.toLowerCase());
  if (list === undefined || id === undefined) return undefined;
  const foreignKey = child.foreignKey.toLowerCase();
  return itemsOf(list).flatMap(({ value }) => (textOf(sectionOf(value).get(foreignKey)) === id ? [value] : []));
}

/** How PostgreSQL stores the last instant of .NET. */
const FOREVER = 'infinity';

function fromChildRows(rows: readonly unknown[], { shape, columns, foreignKey }: ChildTable): unknown {
  const read = (row: unknown, index: number) => {
    const member = sectionOf(row).get(columns[index]?.name.toLowerCase() ?? '');
    // An empty origin makes IdentityServer reject the client.
    return member?.value === '' ? '' : textOf(member);
  };
  if (shape === 'value') return rows.map((row) => read(row, 0) ?? row);
  if (shape === 'entry') return Object.fromEntries(rows.map((row) => [read(row, 0) ?? '', read(row, 1) ?? '']));
  const isProperty = ([key]: [string, Member]) => !rowColumns.has(key) && key !== foreignKey.toLowerCase();
  return rows.map((row) =>
    Object.fromEntries(
      [...sectionOf(row)].filter(isProperty).map(([, { name, value }]) => [name, value === FOREVER ? null : value]),
    ),
  );
}

/** In the order in which they were added, which databases do not promise. */
function sortedById(rows: readonly unknown[]): unknown[] {
  const idOf = (row: unknown) => Number(textOf(sectionOf(row).get('id')) ?? Number.NaN);
  return rows.some((row) => Number.isNaN(idOf(row))) ? [...rows] : rows.toSorted((a, b) => idOf(a) - idOf(b));
}

function requireChildren({ table, children }: StoreTable, items: readonly unknown[], lists: Section): void {
  const rows = items.map(sectionOf).filter(hasRowColumns);
  const missing = children.flatMap((child) => {
    const without = rows.filter((row) => childRows(row, child, lists) === undefined);
    return child.isEssential && without.length > 0 ? [{ ...child, count: without.length }] : [];
  });
  if (missing.length === 0) return;
  const names = missing.map(({ table: name, property }) => `${name} (${property})`).join(', ');
  const count = Math.max(...missing.map((each) => each.count));
  throw new ImportError(
    `${counted(count, 'row')} of the table ${table} without the rows of ${names}: export the tables together, with the ` +
      'query that `countersign clients import identityserver --query` prints',
  );
}

import type { Json } from '../../../clients/json-value.ts';
import { ImportError } from '../draft.ts';
import { fromTableRows } from './database/table-rows.ts';
import { storeTables } from './database/tables.ts';
import { type Item, itemsOf, type Member, type Section, sectionOf } from './dotnet-configuration.ts';
import { handlingOf, lists } from './options.ts';

/** The parts of a configuration that IdentityServer reads. */
export interface Configuration {
  has(list: ListName): boolean;
  /** The items of a list; none if it is missing. */
  list(list: ListName): Item[];
  /** An option by its name, such as `IssuerUri` or `Endpoints.EnableTokenEndpoint`. */
  option(name: string): Member | undefined;
  /** Whether the clients have only the columns that the import reads. */
  readonly isFromTables: boolean;
  /** Members beside `Clients` that IdentityServer does not have. */
  readonly unknown: readonly string[];
}

type ListName = (typeof lists)[number];

/**
 * Finds `Clients`: at the top level, in a section `IdentityServer`, or in the only other section that has it; or a plain
 * list of clients. The other lists and the options are in the same section, in `IdentityServer`, or at the top level.
 *
 * @throws {ImportError} if there are no clients, or in more than one section
 */
export function findConfiguration(root: Json): Configuration {
  if (Array.isArray(root)) return configurationOf([new Map([['clients', { name: 'Clients', value: root }]])], []);
  const top = sectionOf(root);
  const section = findSection(top);
  const { value = null } = section.get('clients') ?? {};
  if (value !== null && typeof value !== 'object') throw new ImportError('Clients is not a list');
  const identityServer = sectionOf(top.get('identityserver')?.value);
  // The top level contains the settings of everything else.
  const unknown = [section, identityServer].filter((each) => each !== top).flatMap(unknownMembers);
  return configurationOf([section, identityServer, top], [...new Set(unknown)]);
}

function configurationOf([section, ...others]: readonly Section[], unknown: readonly string[]): Configuration {
  const lists = fromTableRows(section ?? new Map());
  const sections = [lists, ...others];
  const find = (name: string) => sections.map((section) => section.get(name.toLowerCase())).find(Boolean);
  return {
    has: (list) => find(list) !== undefined,
    list: (list) => itemsOf(find(list)),
    option: (name) => {
      const [first = '', ...path] = name.split('.');
      return path.reduce((member, part) => sectionOf(member?.value).get(part.toLowerCase()), find(first));
    },
    isFromTables: lists.get('clients') !== section?.get('clients'),
    unknown,
  };
}

function findSection(top: Section): Section {
  const holders = sectionsWithClients(top, '');
  if (top.has('clients')) {
    const other = holders.find(({ path }) => path === 'identityserver');
    if (other) throw new ImportError('Clients are both at the top level and in the section IdentityServer');
    return top;
  }
  const [only, ...others] = holders;
  const preferred = holders.filter(({ path }) => /(?:^|:)identityserver$/.test(path));
  if (preferred.length === 1 && preferred[0]) return preferred[0].section;
  if (only && others.length === 0) return only.section;
  if (only) throw new ImportError(`more than one section has Clients: ${holders.map(({ path }) => path).join(', ')}`);
  throw new ImportError(
    'no Clients found: expected "Clients" at the top level or in a section "IdentityServer", or a list of clients',
  );
}

/** A section, and its path as .NET writes it. */
interface Holder {
  readonly path: string;
  readonly section: Section;
}

function sectionsWithClients(section: Section, path: string): Holder[] {
  return [...section].flatMap(([name, { value }]) => {
    const inner = { path: path === '' ? name : `${path}:${name}`, section: sectionOf(value) };
    return inner.section.has('clients') ? [inner] : sectionsWithClients(inner.section, inner.path);
  });
}

function unknownMembers(section: Section): string[] {
  const tables = storeTables.flatMap(({ table, children }) => [table, ...children.map((child) => child.table)]);
  const known = new Set<string>([...lists, ...tables].map((name) => name.toLowerCase()));
  return [...section].flatMap(([key, { name }]) =>
    known.has(key) || handlingOf('IdentityServerOptions', key) ? [] : [name],
  );
}

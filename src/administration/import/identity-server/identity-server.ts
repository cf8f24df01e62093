import type { Json } from '../../../clients/json-value.ts';
import { type Drafts, ImportError } from '../draft.ts';
import { parseLenientJson } from '../lenient-json.ts';
import { draftIdentityServerClient } from './client.ts';
import { rejectCSharp } from './csharp.ts';
import { parseQueryResult } from './database/query-result.ts';
import { fromTableRows } from './database/table-rows.ts';
import { type Item, itemsOf, type Section, sectionOf } from './dotnet-configuration.ts';
import { readResources } from './resources.ts';

/**
 * Reads the clients of an IdentityServer configuration file (JSON, as .NET reads it), or in the output of the query that
 * reads them from its database.
 *
 * @param now milliseconds since the epoch
 * @throws {ImportError} if the file is C# or otherwise not JSON, has no `Clients`, or has a value that .NET rejects
 */
export function readIdentityServer(text: string, now: number): Drafts {
  rejectCSharp(text);
  return readConfiguration(parseQueryResult(text) ?? parseLenientJson(text), now);
}

/**
 * Reads the clients of an IdentityServer configuration: `Clients` at the top level, in the section `IdentityServer`, or in
 * the only other section that has it; or a plain list of clients.
 *
 * @param now milliseconds since the epoch
 * @throws {ImportError} if it has no `Clients`, or a value that .NET rejects
 */
export function readConfiguration(configuration: Json, now: number): Drafts {
  const section = fromTableRows(findSection(configuration));
  const resources = readResources(section);
  const clients = itemsOf(section.get('clients'));
  if (clients.some(({ value }) => sectionOf(value).has('clientauthenticatortype'))) {
    throw new ImportError('contains clients of Keycloak: run `countersign clients import keycloak`');
  }
  const draftsOf = (client: Item) => locateErrors(client, () => draftIdentityServerClient(client, resources, now));
  return { drafts: clients.flatMap(draftsOf), remarks: [] };
}

/** Adds the location of the client to errors. */
function locateErrors<Value>({ location }: Item, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new ImportError(`${location}: ${error.message}`);
  }
}

function findSection(root: unknown): Section {
  if (Array.isArray(root)) return new Map([['clients', { name: 'Clients', value: root }]]);
  const top = sectionOf(root);
  const inner = [...top].map(([name, { value }]) => ({ name, section: sectionOf(value) }));
  const holders = inner.filter(({ section }) => section.has('clients'));
  const [only, ...others] = holders;
  const found = top.has('clients') ? top : holders.find(({ name }) => name === 'identityserver')?.section;
  if (found) return found;
  if (only && others.length === 0) return only.section;
  if (only) throw new ImportError(`more than one section has Clients: ${holders.map(({ name }) => name).join(', ')}`);
  throw new ImportError(
    'no Clients found: expected "Clients" at the top level or in a section "IdentityServer", or a list of clients',
  );
}

import { type Drafts, ImportError } from '../draft.ts';
import { parseLenientJson } from '../lenient-json.ts';
import { draftIdentityServerClient } from './client.ts';
import { type Item, itemsOf, type Section, sectionOf } from './dotnet-configuration.ts';
import { readResources } from './resources.ts';

/**
 * Reads the clients of an IdentityServer's configuration (JSON, as .NET reads it): `Clients` at the top, in the
 * section `IdentityServer`, or in another one if it is the only one; or the list itself.
 *
 * @param now milliseconds since the epoch
 * @throws {ImportError} when it is not JSON, or has no clients
 */
export function readIdentityServer(text: string, now: number): Drafts {
  const section = findSection(parseLenientJson(text));
  const resources = readResources(section);
  const clients = itemsOf(section.get('clients'));
  if (clients.some(({ value }) => sectionOf(value).has('clientauthenticatortype'))) {
    throw new ImportError('has clients of Keycloak: read it with `countersign clients import keycloak`');
  }
  const draftsOf = (client: Item) => placed(client, () => draftIdentityServerClient(client, resources, now));
  return { drafts: clients.flatMap(draftsOf), remarks: [] };
}

/** What is wrong with one client is told with its place. */
function placed<Value>({ place }: Item, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new ImportError(`${place} of Clients: ${error.message}`);
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
  if (only) throw new ImportError(`several sections have Clients: ${holders.map(({ name }) => name).join(', ')}`);
  throw new ImportError('has no Clients: expected them at the top, in a section "IdentityServer", or a list of them');
}

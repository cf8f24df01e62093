import { type Draft, type Drafts, ImportError } from '../draft.ts';
import { parseLenientJson } from '../lenient-json.ts';
import { draftKeycloakClient } from './client.ts';
import { listOf, type Members, membersOf, textOf } from './json.ts';
import { readRealm } from './realm.ts';

/** The clients that every realm has, for Keycloak's own consoles and tools. */
const builtInClients = new Set(
  'account account-console admin-cli broker realm-management security-admin-console'.split(' '),
);

/**
 * Reads the clients of a JSON file of Keycloak: a realm export, a list of realm exports, a client, or a list of clients.
 *
 * @throws {ImportError} if the file is not JSON or has no clients
 */
export function readKeycloak(text: string): Drafts {
  const root = parseLenientJson(text);
  const tops = (Array.isArray(root) ? root : [root]).map(membersOf);
  const realms = tops.filter(({ clients }) => Array.isArray(clients));
  const single = tops.filter(({ clients, clientId }) => !Array.isArray(clients) && textOf(clientId) !== undefined);
  if (realms.length + single.length === 0)
    throw new ImportError('no clients found: expected a realm export with "clients", a client, or a list of clients');
  const all = [...realms, ...(single.length > 0 ? [{ clients: single }] : [])];
  const builtIn = all.flatMap(({ clients }) => listOf(clients).map(membersOf)).filter(isBuiltInClient);
  const names = [...new Set(builtIn.map(({ clientId }) => String(clientId)))];
  const remarks = names.length === 0 ? [] : [`Keycloak's built-in clients were not imported: ${names.join(', ')}`];
  return { drafts: all.flatMap(draftsOfRealm), notes: [], remarks };
}

function draftsOfRealm(members: Members): Draft[] {
  const realm = readRealm(members);
  return listOf(members.clients).flatMap((value, index) => {
    const client = membersOf(value);
    return isBuiltInClient(client) ? [] : draftKeycloakClient(client, `clients[${index}]`, realm);
  });
}

/** A built-in client that was given a certificate is in use, and is imported. */
function isBuiltInClient({ clientId, clientAuthenticatorType }: Members): boolean {
  const name = textOf(clientId);
  if (name === undefined || clientAuthenticatorType === 'client-x509') return false;
  return builtInClients.has(name);
}

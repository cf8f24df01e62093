import { type Draft, type Drafts, ImportError } from '../draft.ts';
import { parseLenientJson } from '../lenient-json.ts';
import { draftKeycloakClient } from './client.ts';
import { listOf, type Members, membersOf, textOf } from './json.ts';
import { readRealm } from './realm.ts';

/** The clients that every realm has, for Keycloak's own pages and tools. */
const ownClients = new Set(
  'account account-console admin-cli broker realm-management security-admin-console'.split(' '),
);

/**
 * Reads the clients of Keycloak's JSON: the export of a realm, a list of those, one client, or a list of clients.
 *
 * @throws {ImportError} when it is not JSON, or has no clients
 */
export function readKeycloak(text: string): Drafts {
  const root = parseLenientJson(text);
  const tops = (Array.isArray(root) ? root : [root]).map(membersOf);
  const realms = tops.filter(({ clients }) => Array.isArray(clients));
  const single = tops.filter(({ clients, clientId }) => !Array.isArray(clients) && textOf(clientId) !== undefined);
  if (realms.length + single.length === 0)
    throw new ImportError('has no clients: expected the export of a realm with "clients", or a client');
  const all = [...realms, ...(single.length > 0 ? [{ clients: single }] : [])];
  const met = all.flatMap(({ clients }) => listOf(clients).map(membersOf)).filter(isOwnClient);
  const names = [...new Set(met.map(({ clientId }) => String(clientId)))];
  const remarks = names.length === 0 ? [] : [`Keycloak's own clients are not needed here: ${names.join(', ')}`];
  return { drafts: all.flatMap(draftsOfRealm), remarks };
}

function draftsOfRealm(members: Members): Draft[] {
  const realm = readRealm(members);
  return listOf(members.clients).flatMap((value, index) => {
    const client = membersOf(value);
    return isOwnClient(client) ? [] : draftKeycloakClient(client, `number ${index + 1}`, realm);
  });
}

/** One that somebody gave a certificate is theirs. */
function isOwnClient({ clientId, clientAuthenticatorType }: Members): boolean {
  const name = textOf(clientId);
  if (name === undefined || clientAuthenticatorType === 'client-x509') return false;
  return ownClients.has(name);
}

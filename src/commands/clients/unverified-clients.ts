import type { ClientFinding } from '../../clients/files/diagnostics.ts';
import type { ClientsFiles } from '../../clients/files/file-clients.ts';

/**
 * One warning where the server, with the settings of this command, has nobody to verify the chains of clients that are
 * known by a name: the first of them, and how many there are.
 */
export function warnOfUnverified({ clients, locate }: ClientsFiles): ClientFinding | undefined {
  const named = clients.filter(({ authentication }) => authentication.method === 'tls_client_auth');
  const [first] = named;
  if (!first) return undefined;
  const whom = named.length === 1 ? 'this client' : `this and ${named.length - 1} more clients`;
  const message =
    `is tls_client_auth, and COUNTERSIGN_CLIENT_CA_FILE is not set here: a server without it ` +
    `verifies no chain, and refuses ${whom} or to start`;
  return { ...locate(first.clientId), client: first.clientId, field: 'token_endpoint_auth_method', message };
}

import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../clients/client.ts';
import { ClientsFileError, describeFinding, readClientsFile } from '../clients/clients-file.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import type { ClientsInMemory } from '../clients/memory-registry.ts';
import type { Log } from '../operations/log.ts';
import { StartupError } from '../operations/startup-error.ts';
import { watchFiles } from '../operations/watch-files.ts';
import type { Terminator } from '../terminator/terminator.ts';

interface Demands {
  readonly policy: RegistrationPolicy;
  readonly terminator: Terminator;
}

type Clients = ReadonlyMap<string, Client>;

/** One faulty file may have thousands; a line of the log tells so many. */
const MAX_TOLD_FAULTS = 20;

/**
 * Reads `COUNTERSIGN_CLIENTS_FILE`, and again when it changes. The clients are swapped whole: while anything is wrong
 * with the file they stay as they were, and the log says what.
 *
 * @throws {StartupError} with every fault, where the file has one at start
 */
export function watchClientsFile(file: string, demands: Demands, log: Log): ClientsInMemory {
  let clients = readWhole(file, demands, log);
  const reload = () => {
    try {
      const next = readWhole(file, demands, log);
      const counts = countChanges(clients, next);
      clients = next;
      log.info({ event: 'clients_changed', ...counts }, `${file} was read again: ${inWords(counts)}`);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      const reason = tellSome(error.faults);
      log.error({ event: 'clients_kept', reason }, `the clients of ${file} stay as they were: ${reason}`);
    }
  };
  const watch = watchFiles({ list: () => [file], onChange: reload });
  return { current: () => clients, stop: watch.stop };
}

function readWhole(file: string, { policy, terminator }: Demands, log: Log): Clients {
  const { clients, faults, warnings } = readOrExplain(file, policy);
  const problems = [...faults.map((fault) => describeFinding(file, fault)), ...unverifiable(clients, terminator)];
  if (problems.length > 0) throw new StartupError(problems);
  for (const warning of warnings) log.warn({ event: 'client_warning', ...warning }, describeFinding(file, warning));
  return new Map(clients.map((client) => [client.clientId, client]));
}

function readOrExplain(file: string, policy: RegistrationPolicy) {
  try {
    return readClientsFile(file, policy, Date.now());
  } catch (error) {
    if (error instanceof ClientsFileError) throw new StartupError([`COUNTERSIGN_CLIENTS_FILE: ${error.message}`]);
    throw error;
  }
}

/** Why clients that are known by a name could never authenticate; one of each kind is enough to say. */
function unverifiable(clients: readonly Client[], { verification }: Terminator): string[] {
  const named = clients.flatMap(({ clientId, authentication }) =>
    authentication.method === 'tls_client_auth' ? [{ clientId, ...authentication }] : [],
  );
  const [first] = named;
  if (first && verification.by === 'nobody') {
    return [`client ${first.clientId} uses tls_client_auth, and nobody verifies its chain: ${verification.mend}`];
  }
  const pinned = named.find(({ authorities }) => authorities.length > 0);
  if (!pinned || verification.by === 'countersign') return [];
  return [
    `client ${pinned.clientId} has tls_client_auth_ca, which needs COUNTERSIGN_CLIENT_CA_FILE: no path is known otherwise`,
  ];
}

interface Changes {
  readonly clients: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

function countChanges(before: Clients, after: Clients): Changes {
  const stayed = [...after].filter(([id]) => before.has(id));
  return {
    clients: after.size,
    added: after.size - stayed.length,
    changed: stayed.filter(([id, client]) => !isDeepStrictEqual(before.get(id), client)).length,
    removed: before.size - stayed.length,
  };
}

function inWords({ clients, added, changed, removed }: Changes): string {
  return `${clients} client${clients === 1 ? '' : 's'}, ${added} added, ${changed} changed, ${removed} removed`;
}

function tellSome(faults: readonly string[]): string {
  const more = faults.length - MAX_TOLD_FAULTS;
  return faults.slice(0, MAX_TOLD_FAULTS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

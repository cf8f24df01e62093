import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type ClientsFiles, readClientsFiles } from '../client-files/clients-files.ts';
import { describeFinding, type Finding } from '../client-files/finding.ts';
import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import type { ClientsInMemory } from '../clients/memory-registry.ts';
import type { Log } from '../operations/log.ts';
import { StartupError } from '../operations/startup-error.ts';
import { stateOfFile, watchFiles } from '../operations/watch-files.ts';
import type { Terminator } from '../terminator/terminator.ts';

interface Demands {
  readonly policy: RegistrationPolicy;
  readonly terminator: Pick<Terminator, 'verification'>;
}

type Clients = ReadonlyMap<string, Client>;

/** One faulty file may have thousands; a line of the log tells so many. */
const MAX_TOLD_FAULTS = 20;
const SETTLE_MILLISECONDS = 500;

/**
 * Reads `COUNTERSIGN_CLIENTS_FILE`, and again when it changes. The clients are swapped whole: while anything is wrong
 * with the file they stay as they were, and the log says what.
 *
 * @param intervalMilliseconds how often it is looked at. Default: as {@link watchFiles} has it
 * @throws {StartupError} with every fault, where the file has one at start
 */
export async function watchClientsFile(
  file: string,
  demands: Demands,
  log: Log,
  intervalMilliseconds?: number,
): Promise<ClientsInMemory> {
  const stopping = new AbortController();
  const read = () => readWhole(file, demands, stopping.signal);
  let clients = takeInto(log, await read());
  let isReading = false;
  const reload = async () => {
    // A reading that goes on sees the change by itself.
    if (isReading) return;
    isReading = true;
    try {
      const next = takeInto(log, await read());
      const counts = countChanges(clients, next);
      clients = next;
      log.info({ event: 'clients_changed', ...counts }, `${file} was read again: ${inWords(counts)}`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Whatever it is, those that are known go on being served.
      const reason = error instanceof StartupError ? tellSome(error.faults) : String(error);
      log.error({ event: 'clients_kept', reason }, `the clients of ${file} stay as they were: ${reason}`);
    } finally {
      isReading = false;
    }
  };
  const watch = watchFiles({ list: () => [file], onChange: () => void reload(), intervalMilliseconds });
  const stop = () => {
    watch.stop();
    stopping.abort();
  };
  return { current: () => clients, stop };
}

/** Reads the file until it stayed the same for as long as that took: what somebody writes meanwhile might be a part. */
async function readWhole(file: string, demands: Demands, signal: AbortSignal): Promise<ClientsFiles> {
  for (;;) {
    requireRegularFile(file);
    const before = stateOfFile(file);
    const read = await readClientsFiles([file], demands.policy, Date.now(), signal);
    if (stateOfFile(file) === before) return refuseFaulty(read, demands);
    await delay(SETTLE_MILLISECONDS, undefined, { signal });
  }
}

/** A named pipe would be waited for without an end. */
function requireRegularFile(file: string): void {
  if (isSomethingElse(file)) throw new StartupError([`COUNTERSIGN_CLIENTS_FILE: ${file}: it is no regular file`]);
}

function isSomethingElse(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    // Whoever reads it says why that fails.
    return false;
  }
}

function refuseFaulty(read: ClientsFiles, { terminator }: Demands): ClientsFiles {
  const problems = [...read.faults.map(describeFault), ...unverifiable(read.clients, terminator)];
  if (problems.length > 0) throw new StartupError(problems);
  return read;
}

/** Of what is wrong with the file itself, the setting is said that names it. */
function describeFault(fault: Finding): string {
  return 'client' in fault ? describeFinding(fault) : `COUNTERSIGN_CLIENTS_FILE: ${describeFinding(fault)}`;
}

function takeInto(log: Log, { clients, warnings }: ClientsFiles): Clients {
  for (const { message, ...where } of warnings)
    log.warn({ event: 'client_warning', ...where }, describeFinding({ message, ...where }));
  return new Map(clients.map((client) => [client.clientId, client]));
}

/** Why clients that are known by a name could never authenticate; one of each kind is enough to say. */
function unverifiable(clients: readonly Client[], { verification }: Demands['terminator']): string[] {
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

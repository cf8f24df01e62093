import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientsFiles, readClientsFiles } from '../client-files/clients-files.ts';
import { describeFinding, type Finding } from '../client-files/finding.ts';
import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import { StartupError } from '../operations/startup-error.ts';
import { stateOfFile } from '../operations/watch-files.ts';
import type { Terminator } from '../terminator/terminator.ts';

/** What the clients of a file must be, beside sound. */
export interface Demands {
  readonly policy: RegistrationPolicy;
  readonly terminator: Pick<Terminator, 'verification'>;
}

const SETTLE_MILLISECONDS = 500;
const MAX_MILLISECONDS = 60_000;

/**
 * Reads `COUNTERSIGN_CLIENTS_FILE` until it stayed the same for as long as that took: what somebody writes meanwhile
 * might be a part.
 *
 * @throws {StartupError} with every fault
 * @throws the signal's reason, when it says so
 */
export async function readClientsFile(file: string, demands: Demands, stopping: AbortSignal): Promise<ClientsFiles> {
  for (;;) {
    requireRegularFile(file);
    const before = stateOfFile(file);
    const read = await readInTime(file, demands, stopping);
    if (stateOfFile(file) === before) return refuseFaulty(read, demands);
    await delay(SETTLE_MILLISECONDS, undefined, { signal: stopping });
  }
}

async function readInTime(file: string, { policy }: Demands, stopping: AbortSignal): Promise<ClientsFiles> {
  const tooLong = AbortSignal.timeout(MAX_MILLISECONDS);
  try {
    return await readClientsFiles([file], policy, Date.now(), AbortSignal.any([stopping, tooLong]));
  } catch (error) {
    if (error !== tooLong.reason) throw error;
    const faults = [{ file, message: 'it takes more than a minute to read; write it as JSON Lines (.jsonl)' }];
    return { names: [file], clients: [], warnings: [], faults, placeOf: () => '' };
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

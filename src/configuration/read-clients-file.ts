import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientsFiles, readClientsFiles } from '../client-files/clients-files.ts';
import { describeFinding, type Finding } from '../client-files/finding.ts';
import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import { StartupError } from '../operator-error.ts';
import type { Terminator } from '../terminator/terminator.ts';
import { stateOfFile } from '../watch-files.ts';

/** What the clients of a file must be, beside sound. */
export interface Demands {
  readonly policy: RegistrationPolicy;
  readonly terminator: Pick<Terminator, 'verification'>;
}

/** A file of clients, and the setting that names it, where somebody has set that. */
export interface NamedFile {
  readonly file: string;
  readonly setting: string | undefined;
}

const SETTLE_MILLISECONDS = 500;
const MAX_MILLISECONDS = 60_000;

/**
 * Reads a file of clients until it stayed the same for as long as that took: what somebody writes meanwhile
 * might be a part.
 *
 * @throws {StartupError} with every fault; of what is wrong with the file itself, the setting is said that names it
 * @throws the signal's reason, when it says so
 */
export async function readClientsFile(
  named: NamedFile,
  demands: Demands,
  stopping: AbortSignal,
): Promise<ClientsFiles> {
  const { file } = named;
  for (;;) {
    requireRegularFile(named);
    const before = stateOfFile(file);
    const read = await readInTime(file, demands, stopping);
    if (stateOfFile(file) === before) return refuseFaulty(read, named, demands);
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
    return { names: [file], clients: [], warnings: [], faults, locate: () => ({ file, place: '' }) };
  }
}

/** A named pipe would be waited for without an end. */
function requireRegularFile(named: NamedFile): void {
  const { file } = named;
  if (isSomethingElse(file)) throw new StartupError([describeFault({ file, message: 'it is no regular file' }, named)]);
}

function isSomethingElse(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    // Whoever reads it says why that fails.
    return false;
  }
}

function refuseFaulty(read: ClientsFiles, named: NamedFile, { terminator }: Demands): ClientsFiles {
  const faults = read.faults.map((fault) => describeFault(fault, named));
  const problems = [...faults, ...unverifiable(read.clients, terminator)];
  if (problems.length > 0) throw new StartupError(problems);
  return read;
}

function describeFault(fault: Finding, { setting }: NamedFile): string {
  const isOfFile = !('client' in fault);
  return isOfFile && setting !== undefined ? `${setting}: ${describeFinding(fault)}` : describeFinding(fault);
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

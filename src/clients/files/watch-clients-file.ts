import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../observability/log.ts';
import { OperatorError } from '../../operator-error.ts';
import type { Terminator } from '../../terminator/terminator.ts';
import { readFileState, watchFiles } from '../../watch-files.ts';
import type { Client } from '../client.ts';
import { caPinsOf, requiresChain } from '../methods/methods.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { ClientsInMemory } from '../registry/memory-registry.ts';
import { describeDiagnostic, type LocatedDiagnostic } from './diagnostics.ts';
import { type ClientsFilesResult, readClientsFiles } from './file-clients.ts';

type Clients = ReadonlyMap<string, Client>;

/** One faulty file may have thousands; a line of the log tells so many. */
const MAX_TOLD_FAULTS = 20;

/**
 * Reads a file of clients, and again when it changes. The clients are swapped whole: while anything is wrong
 * with the file they stay as they were, and the log says what.
 *
 * @param intervalMilliseconds how often it is looked at. Default: as {@link watchFiles} has it
 * @throws {OperatorError} with every error, where the file has one at start
 */
export async function watchClientsFile(
  named: NamedFile,
  demands: ClientRequirements,
  log: Log,
  intervalMilliseconds?: number,
): Promise<ClientsInMemory> {
  const stopping = new AbortController();
  const { file } = named;
  const read = (setting?: string) => readClientsFile({ file, setting }, demands, stopping.signal);
  let clients: Clients = new Map();
  let isReading = true;
  const reload = async () => {
    // A reading that goes on sees the change by itself.
    if (isReading) return;
    isReading = true;
    try {
      const next = indexClients(log, await read());
      const counts = countChanges(clients, next);
      clients = next;
      log.info({ event: 'clients_reloaded', ...counts }, `${file} was read again: ${inWords(counts)}`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Whatever it is, those that are known go on being served.
      const reason = error instanceof OperatorError ? firstProblems(error.problems) : `${file}: ${error}`;
      log.error({ event: 'clients_reload_failed', reason }, `the clients stay as they were: ${reason}`);
    } finally {
      isReading = false;
    }
  };
  const watch = watchFiles({ list: () => [file], onChange: () => void reload(), intervalMilliseconds });
  const stop = () => {
    watch.stop();
    stopping.abort();
  };
  try {
    clients = indexClients(log, await read(named.setting));
    isReading = false;
  } catch (error) {
    stop();
    throw error;
  }
  return { current: () => clients, stop };
}

function indexClients(log: Log, { clients, warnings }: ClientsFilesResult): Clients {
  for (const { message, ...where } of warnings)
    log.warn({ event: 'client_warning', ...where }, describeDiagnostic({ message, ...where }));
  return new Map(clients.map((client) => [client.clientId, client]));
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

function firstProblems(errors: readonly string[]): string {
  const more = errors.length - MAX_TOLD_FAULTS;
  return errors.slice(0, MAX_TOLD_FAULTS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** What the clients of a file must be, beside sound. */
export interface ClientRequirements {
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
 * @throws {OperatorError} with every error; of what is wrong with the file itself, the setting is said that names it
 * @throws the signal's reason, when it says so
 */
export async function readClientsFile(
  named: NamedFile,
  demands: ClientRequirements,
  stopping: AbortSignal,
): Promise<ClientsFilesResult> {
  const { file } = named;
  for (;;) {
    requireRegularFile(named);
    const before = readFileState(file);
    const read = await readInTime(file, demands, stopping);
    if (readFileState(file) === before) return requireNoErrors(read, named, demands);
    await delay(SETTLE_MILLISECONDS, undefined, { signal: stopping });
  }
}

async function readInTime(
  file: string,
  { policy }: ClientRequirements,
  stopping: AbortSignal,
): Promise<ClientsFilesResult> {
  const tooLong = AbortSignal.timeout(MAX_MILLISECONDS);
  try {
    return await readClientsFiles([file], policy, Date.now(), AbortSignal.any([stopping, tooLong]));
  } catch (error) {
    if (error !== tooLong.reason) throw error;
    const errors = [{ file, message: 'it takes more than a minute to read; write it as JSON Lines (.jsonl)' }];
    return { names: [file], clients: [], warnings: [], errors, locate: () => ({ file, location: '' }) };
  }
}

/** A named pipe would be waited for without an end. */
function requireRegularFile(named: NamedFile): void {
  const { file } = named;
  if (isSomethingElse(file))
    throw new OperatorError([describeProblem({ file, message: 'it is no regular file' }, named)]);
}

function isSomethingElse(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    // Whoever reads it says why that fails.
    return false;
  }
}

function requireNoErrors(
  read: ClientsFilesResult,
  named: NamedFile,
  { terminator }: ClientRequirements,
): ClientsFilesResult {
  const errors = read.errors.map((error) => describeProblem(error, named));
  const problems = [...errors, ...unverifiable(read.clients, terminator)];
  if (problems.length > 0) throw new OperatorError(problems);
  return read;
}

function describeProblem(error: LocatedDiagnostic, { setting }: NamedFile): string {
  const isOfFile = !('client' in error);
  return isOfFile && setting !== undefined ? `${setting}: ${describeDiagnostic(error)}` : describeDiagnostic(error);
}

/** Why clients that are known by a name could never authenticate; one of each kind is enough to say. */
function unverifiable(clients: readonly Client[], { verification }: ClientRequirements['terminator']): string[] {
  const first = clients.find(({ authentication }) => requiresChain(authentication));
  if (first && verification.by === 'none') {
    const { method } = first.authentication;
    return [`client ${first.clientId} uses ${method}, and nobody verifies its chain: ${verification.fix}`];
  }
  const pinned = clients.find(({ authentication }) => caPinsOf(authentication).length > 0);
  if (!pinned || verification.by === 'countersign') return [];
  return [
    `client ${pinned.clientId} has tls_client_auth_ca, which needs COUNTERSIGN_CLIENT_CA_FILE: no path is known otherwise`,
  ];
}

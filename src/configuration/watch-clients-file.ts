import { isDeepStrictEqual } from 'node:util';
import type { ClientsFiles } from '../client-files/clients-files.ts';
import { describeFinding } from '../client-files/finding.ts';
import type { Client } from '../clients/client.ts';
import type { ClientsInMemory } from '../clients/memory-registry.ts';
import type { Log } from '../operations/log.ts';
import { StartupError } from '../operator-error.ts';
import { watchFiles } from '../watch-files.ts';
import { type Demands, type NamedFile, readClientsFile } from './read-clients-file.ts';

type Clients = ReadonlyMap<string, Client>;

/** One faulty file may have thousands; a line of the log tells so many. */
const MAX_TOLD_FAULTS = 20;

/**
 * Reads a file of clients, and again when it changes. The clients are swapped whole: while anything is wrong
 * with the file they stay as they were, and the log says what.
 *
 * @param intervalMilliseconds how often it is looked at. Default: as {@link watchFiles} has it
 * @throws {StartupError} with every fault, where the file has one at start
 */
export async function watchClientsFile(
  named: NamedFile,
  demands: Demands,
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
      const next = takeInto(log, await read());
      const counts = countChanges(clients, next);
      clients = next;
      log.info({ event: 'clients_changed', ...counts }, `${file} was read again: ${inWords(counts)}`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Whatever it is, those that are known go on being served.
      const reason = error instanceof StartupError ? tellSome(error.faults) : `${file}: ${error}`;
      log.error({ event: 'clients_kept', reason }, `the clients stay as they were: ${reason}`);
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
    clients = takeInto(log, await read(named.setting));
    isReading = false;
  } catch (error) {
    stop();
    throw error;
  }
  return { current: () => clients, stop };
}

function takeInto(log: Log, { clients, warnings }: ClientsFiles): Clients {
  for (const { message, ...where } of warnings)
    log.warn({ event: 'client_warning', ...where }, describeFinding({ message, ...where }));
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

function tellSome(faults: readonly string[]): string {
  const more = faults.length - MAX_TOLD_FAULTS;
  return faults.slice(0, MAX_TOLD_FAULTS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

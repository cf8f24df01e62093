import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../observability/log.ts';
import { OperatorError } from '../../operator-error.ts';
import { counted } from '../../text.ts';
import { readFileState, watchFiles } from '../../watch-files.ts';
import type { Records, RecordsInMemory } from '../registry/memory-registry.ts';
import { describeDiagnostic } from './diagnostics.ts';
import { type ClientRequirements, type ConfiguredFile, loadClientsFile } from './load-clients-file.ts';
import type { ClientsFilesResult } from './read-clients-files.ts';

interface WatchOptions {
  /** Called with records before they are swapped in. Until it resolves, the previous ones stay active. */
  readonly prepare?: ((records: Records) => Promise<unknown>) | undefined;
  /** Between checks of the file; by default that of {@link watchFiles}. */
  readonly intervalMilliseconds?: number | undefined;
}

/**
 * Loads the clients file, and reloads it when it changes. Clients and resources are swapped as a whole. If the changed
 * file has any error, the previous ones stay active and the errors are logged.
 *
 * @throws {OperatorError} with every error, if the file has one at startup
 */
export async function watchClientsFile(
  configured: ConfiguredFile,
  requirements: ClientRequirements,
  log: Log,
  { prepare, intervalMilliseconds }: WatchOptions = {},
): Promise<RecordsInMemory> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const { file } = configured;
  const load = async (setting?: string): Promise<Records> => {
    const before = readFileState(file);
    const loaded = toRecords(log, await loadClientsFile({ file, setting }, requirements, signal));
    if (!prepare) return loaded;
    await prepare(loaded);
    signal.throwIfAborted();
    // A change meanwhile was ignored, since only the load of the file itself detects it.
    return readFileState(file) === before ? loaded : load(setting);
  };
  let records: Records = { clients: new Map(), resources: new Map() };
  let isLoading = true;
  const reload = async () => {
    // A load in progress detects the change itself.
    if (isLoading) return;
    isLoading = true;
    records = await loadOrKeep(records, load, { file, log, signal });
    isLoading = false;
  };
  const watch = watchFiles({ list: () => [file], onChange: () => void reload(), intervalMilliseconds });
  const stop = () => {
    watch.stop();
    stopping.abort();
  };
  try {
    records = await load(configured.setting);
    isLoading = false;
  } catch (error) {
    stop();
    throw error;
  }
  return { current: () => records, stop };
}

/** Logs the warnings. */
function toRecords(log: Log, { clients, resources, warnings }: ClientsFilesResult): Records {
  for (const { message, ...place } of warnings)
    log.warn({ event: 'client_warning', ...place }, describeDiagnostic({ message, ...place }));
  return {
    clients: new Map(clients.map((client) => [client.clientId, client])),
    resources: new Map(resources.map((resource) => [resource.name, resource])),
  };
}

interface Reload {
  readonly file: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Whatever the error of a reload is, the previous records are kept. */
async function loadOrKeep(previous: Records, load: () => Promise<Records>, reload: Reload): Promise<Records> {
  const { file, log, signal } = reload;
  try {
    const next = await load();
    logReloaded(log, file, previous, next);
    return next;
  } catch (error) {
    if (!signal.aborted) logReloadFailed(log, file, error);
    return previous;
  }
}

function logReloaded(log: Log, file: string, before: Records, after: Records): void {
  const counts = countChanges(before, after);
  log.info({ event: 'clients_reloaded', ...counts }, `reloaded ${file}: ${describeChanges(counts)}`);
}

function logReloadFailed(log: Log, file: string, error: unknown): void {
  const reason = error instanceof OperatorError ? firstProblems(error.problems) : `${file}: ${error}`;
  log.error({ event: 'clients_reload_failed', reason }, `reload failed, the previous records stay active: ${reason}`);
}

/** The sizes, and how many clients and resources differ. */
interface ChangeCounts {
  readonly clients: number;
  readonly resources: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

function countChanges(before: Records, after: Records): ChangeCounts {
  const ofClients = compareMaps(before.clients, after.clients);
  const ofResources = compareMaps(before.resources, after.resources);
  return {
    clients: after.clients.size,
    resources: after.resources.size,
    added: ofClients.added + ofResources.added,
    changed: ofClients.changed + ofResources.changed,
    removed: ofClients.removed + ofResources.removed,
  };
}

function compareMaps<Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>) {
  const kept = [...after].filter(([id]) => before.has(id));
  return {
    added: after.size - kept.length,
    changed: kept.filter(([id, value]) => !isDeepStrictEqual(before.get(id), value)).length,
    removed: before.size - kept.length,
  };
}

function describeChanges({ clients, resources, added, changed, removed }: ChangeCounts): string {
  const sizes = [counted(clients, 'client'), ...(resources > 0 ? [counted(resources, 'resource')] : [])];
  return `${sizes.join(', ')}, ${added} added, ${changed} changed, ${removed} removed`;
}

/** A file may have thousands of problems. */
const MAX_LOGGED_PROBLEMS = 20;

function firstProblems(problems: readonly string[]): string {
  const more = problems.length - MAX_LOGGED_PROBLEMS;
  return problems.slice(0, MAX_LOGGED_PROBLEMS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '../../errors/operator-error.ts';
import type { Log } from '../../observability/log.ts';
import { counted } from '../../text.ts';
import { openWatchedValue, type WatchedFile } from '../../watch/watched-file.ts';
import type { Records, RecordsInMemory } from '../registry/memory-registry.ts';
import { describeDiagnostic } from './diagnostics.ts';
import { ignoredFiles } from './find-files.ts';
import {
  type ClientRequirements,
  type ConfiguredFile,
  type LoadedClientsFile,
  listClientsFiles,
  loadClientsFile,
} from './load-clients-file.ts';

interface WatchOptions {
  /** Called with records before they are swapped in. Until it resolves, the previous ones stay active. */
  readonly prepare?: ((records: Records) => Promise<unknown>) | undefined;
  /** Resolves when changed CA certificates are in use, which records may be pinned to. */
  readonly refreshTrust?: (() => Promise<void>) | undefined;
  /** Between checks of the files; by default that of a {@link WatchedFile}. */
  readonly intervalMilliseconds?: number | undefined;
}

interface LoadedRecords extends Records {
  /** Hexadecimal. */
  readonly digest: string;
}

interface WatchedRecords extends RecordsInMemory {
  readonly watched: WatchedFile;
}

/**
 * Loads the clients file, or all files of a folder, and reloads them when one changes, appears or disappears. Clients and
 * resources are swapped as a whole. If any file has an error, the previous ones stay active and the errors are logged.
 *
 * @throws {OperatorError} with every error, if there is one at startup
 */
export async function watchClientsFile(
  configured: ConfiguredFile,
  requirements: ClientRequirements,
  log: Log,
  { prepare, refreshTrust, intervalMilliseconds }: WatchOptions = {},
): Promise<WatchedRecords> {
  const { file } = configured;
  const load = async (previous: Records | undefined, stopping: AbortSignal): Promise<LoadedRecords> => {
    const named = previous === undefined ? configured : { file, setting: undefined };
    await refreshTrust?.();
    const loading = loadClientsFile(named, requirements, stopping);
    const result = await loading.catch((error: unknown) => throwAbout(file, error));
    logWarnings(file, result, log);
    const records = toRecords(result);
    await prepare?.(records);
    return { ...records, digest: await digestOf(file, result.names) };
  };
  const describe = (after: Records, before: Records) => {
    const fields = countChanges(before, after);
    return { fields, summary: describeChanges(fields) };
  };
  const watched = await openWatchedValue({
    name: 'clients',
    paths: [file],
    list: () => listClientsFiles(configured),
    load,
    describe,
    digest: (records: LoadedRecords) => records.digest,
    isSame: (records, previous) => records.digest === previous.digest,
    log,
    intervalMilliseconds,
  });
  return { current: () => watched.current, watched, stop: () => watched.stop() };
}

/** The SHA-256 of a file, or of what `sha256sum` prints of several, by their paths in the folder. */
async function digestOf(folder: string, files: readonly string[]): Promise<string> {
  const [first = ''] = files;
  if (files.length === 1) return sha256(first);
  const ofAll = createHash('sha256');
  for (const file of files) ofAll.update(`${await sha256(file)}  ${relative(folder, file)}\n`);
  return ofAll.digest('hex');
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Names the file also for an unexpected error. */
function throwAbout(file: string, error: unknown): never {
  throw error instanceof OperatorError ? error : new OperatorError([`${file}: ${error}`]);
}

function logWarnings(path: string, { warnings, shared }: LoadedClientsFile, log: Log): void {
  for (const { message, ...place } of [...ignoredFiles([path]), ...warnings])
    log.warn({ event: 'client_warning', ...place }, describeDiagnostic({ message, ...place }));
  for (const line of shared.lines()) log.warn({ event: 'clients_shared', file: path }, line);
}

function toRecords({ clients, resources }: LoadedClientsFile): Records {
  return {
    clients: new Map(clients.map((client) => [client.clientId, client])),
    resources: new Map(resources.map((resource) => [resource.name, resource])),
  };
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

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Client } from './client.ts';
import type { Fault, RegistrationPolicy } from './findings.ts';
import { readClient } from './read-client.ts';

/** A fault or warning, with the client that it is about: its `client_id`, or its place in the file without one. */
export interface ClientFinding extends Fault {
  readonly client: string;
}

/** What a clients file holds: the clients that are sound, and everything that is to be said about the others. */
export interface ClientsFile {
  readonly clients: readonly Client[];
  readonly faults: readonly ClientFinding[];
  readonly warnings: readonly ClientFinding[];
}

/** The file as a whole cannot be read. The message names it and what is wrong. */
export class ClientsFileError extends Error {
  override readonly name = 'ClientsFileError';
}

/**
 * Reads a file of client records: YAML or JSON, a list or `{clients: [list]}`. All faults are collected.
 *
 * @param now milliseconds since the epoch
 * @throws {ClientsFileError} when the file cannot be read, or is neither
 */
export function readClientsFile(path: string, policy: RegistrationPolicy, now: number): ClientsFile {
  const clients: Client[] = [];
  const faults: ClientFinding[] = [];
  const warnings: ClientFinding[] = [];
  const firstPlace = new Map<string, number>();
  for (const [index, record] of readRecords(path).entries()) {
    const clientId = clientIdOf(record);
    const client = clientId === undefined ? `(number ${index + 1} in the list)` : clientId;
    const named = (finding: Fault) => ({ client, ...finding });
    const earlier = clientId === undefined ? undefined : firstPlace.get(clientId);
    if (earlier !== undefined) faults.push(named({ field: 'client_id', message: `is taken by number ${earlier + 1}` }));
    if (clientId !== undefined && earlier === undefined) firstPlace.set(clientId, index);
    const read = readClient(record, policy, now);
    if (!read.ok) faults.push(...read.faults.map(named));
    else if (earlier === undefined) {
      clients.push(read.client);
      warnings.push(...read.warnings.map(named));
    }
  }
  return { clients, faults, warnings };
}

/** One line for a finding: file, client, field, what is wrong. */
export function describeFinding(path: string, { client, field, message }: ClientFinding): string {
  return `${path}: client ${client}: ${field} ${message}`;
}

function readRecords(path: string): readonly unknown[] {
  const content = parseYaml(path, readText(path));
  const records = isRecord(content) && Object.keys(content).join() === 'clients' ? content.clients : content;
  if (!Array.isArray(records)) {
    throw new ClientsFileError(`${path}: expected a list of clients, or "clients:" with a list under it`);
  }
  return records;
}

/** JSON is YAML, too. */
function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    throw new ClientsFileError(`${path}: not YAML or JSON: ${firstLine.replace(/:$/, '')}`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ClientsFileError(`${path}: ${(error as NodeJS.ErrnoException).message}`);
  }
}

function clientIdOf(record: unknown): string | undefined {
  return isRecord(record) && typeof record.client_id === 'string' ? record.client_id : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

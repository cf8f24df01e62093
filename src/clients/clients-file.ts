import { readFileSync } from 'node:fs';
import type { Client } from './client.ts';
import type { Fault, RegistrationPolicy } from './findings.ts';
import { ClientsFileError, parseRecords, placeOf } from './parse-records.ts';
import { printable } from './printable.ts';
import { readClient } from './read-client.ts';

export { ClientsFileError } from './parse-records.ts';

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

/**
 * Reads a file of client records: YAML, JSON or JSON Lines, a list or `{clients: [list]}`. All faults are collected.
 *
 * @param now milliseconds since the epoch
 * @throws {ClientsFileError} when the file cannot be read, or is neither
 */
export function readClientsFile(path: string, policy: RegistrationPolicy, now: number): ClientsFile {
  const clients: Client[] = [];
  const faults: ClientFinding[] = [];
  const warnings: ClientFinding[] = [];
  const firstPlace = new Map<string, number>();
  for (const { number, value: record } of parseRecords(path, readText(path))) {
    const clientId = clientIdOf(record);
    const client = clientId === undefined ? `(${placeOf(path, number)})` : clientId;
    const named = (finding: Fault) => ({ client, ...finding });
    const earlier = clientId === undefined ? undefined : firstPlace.get(clientId);
    if (earlier !== undefined)
      faults.push(named({ field: 'client_id', message: `is taken by ${placeOf(path, earlier)}` }));
    if (clientId !== undefined && earlier === undefined) firstPlace.set(clientId, number);
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
  return printable(`${path}: client ${client}: ${field} ${message}`);
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) throw new ClientsFileError(`${path}: it is not text in UTF-8`);
    throw new ClientsFileError(`${path}: ${(error as NodeJS.ErrnoException).message}`);
  }
}

function clientIdOf(record: unknown): string | undefined {
  return isRecord(record) && typeof record.client_id === 'string' ? record.client_id : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import { FileClients, type RecordPlace } from './file-clients.ts';
import type { ClientFinding, Finding } from './finding.ts';

/** What files of clients hold: the clients that are sound, and everything that is to be said about the others. */
export interface ClientsFiles {
  /** The files that were read, as messages call them. */
  readonly names: readonly string[];
  readonly clients: readonly Client[];
  /** With one, a file is not to be used: where it cannot be read at all, no clients are no sound answer. */
  readonly faults: readonly Finding[];
  readonly warnings: readonly ClientFinding[];
  /** Where one of the clients stands. */
  readonly locate: (clientId: string) => RecordPlace;
}

/**
 * Reads files of client records: YAML, JSON or JSON Lines, a list or `{clients: [list]}`. All faults are collected.
 *
 * @param now milliseconds since the epoch
 * @throws the signal's reason, when it says so
 */
export async function readClientsFiles(
  files: readonly string[],
  policy: RegistrationPolicy,
  now: number,
  signal?: AbortSignal,
): Promise<ClientsFiles> {
  const clients: Client[] = [];
  const faults: Finding[] = [];
  const warnings: ClientFinding[] = [];
  const all = new FileClients(files, {
    policy,
    now,
    onFault: (fault) => faults.push(fault),
    onWarning: (warning) => warnings.push(warning),
    signal,
  });
  for await (const batch of all.batches()) for (const { client } of batch) clients.push(client);
  signal?.throwIfAborted();
  return { names: all.names, clients, faults, warnings, locate: (clientId) => all.locate(clientId) };
}

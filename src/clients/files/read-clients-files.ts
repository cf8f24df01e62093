import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { LocatedDiagnostic, RecordDiagnostic, RecordLocation } from './diagnostics.ts';
import { FileClients } from './file-clients.ts';

/** The valid clients of some files, and all errors and warnings. */
export interface ClientsFilesResult {
  /** The files that were opened, as messages call them. */
  readonly names: readonly string[];
  readonly clients: readonly Client[];
  /** If there are any, do not use the clients: they may be incomplete. */
  readonly errors: readonly LocatedDiagnostic[];
  readonly warnings: readonly RecordDiagnostic[];
  /** @param clientId of one of the clients */
  readonly locate: (clientId: string) => RecordLocation;
}

/**
 * Reads files of client records: YAML, JSON or JSON Lines, a list or `{clients: [list]}`. It collects all errors.
 *
 * @param now milliseconds since the epoch
 * @throws the reason of the signal
 */
export async function readClientsFiles(
  files: readonly string[],
  policy: RegistrationPolicy,
  now: number,
  signal?: AbortSignal,
): Promise<ClientsFilesResult> {
  const clients: Client[] = [];
  const errors: LocatedDiagnostic[] = [];
  const warnings: RecordDiagnostic[] = [];
  const onError = (error: LocatedDiagnostic) => void errors.push(error);
  const onWarning = (warning: RecordDiagnostic) => void warnings.push(warning);
  const fileClients = new FileClients(files, { policy, now, onError, onWarning, signal });
  for await (const batch of fileClients.batches()) for (const { client } of batch) clients.push(client);
  signal?.throwIfAborted();
  const { index } = fileClients;
  return { names: index.files, clients, errors, warnings, locate: (clientId) => index.locate(clientId) };
}

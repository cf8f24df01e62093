import type { Resource } from '../../resources/resource.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { LocatedDiagnostic, RecordDiagnostic, RecordLocation } from './diagnostics.ts';
import { RecordFiles } from './record-files.ts';

/** The valid records of some files, and all errors and warnings. */
export interface ClientsFilesResult {
  /** The files that were opened, as messages call them. */
  readonly names: readonly string[];
  readonly clients: readonly Client[];
  readonly resources: readonly Resource[];
  /** If there are any, do not use the records: they may be incomplete. */
  readonly errors: readonly LocatedDiagnostic[];
  readonly warnings: readonly RecordDiagnostic[];
  /** @param clientId of one of the clients */
  readonly locate: (clientId: string) => RecordLocation;
}

/**
 * Reads files of records: YAML, JSON or JSON Lines, a list or `{clients: [list], resources: [list]}`. It collects all
 * errors.
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
  const resources: Resource[] = [];
  const errors: LocatedDiagnostic[] = [];
  const warnings: RecordDiagnostic[] = [];
  const onError = (error: LocatedDiagnostic) => void errors.push(error);
  const onWarning = (warning: RecordDiagnostic) => void warnings.push(warning);
  const recordFiles = new RecordFiles(files, { policy, now, onError, onWarning, signal });
  for await (const batch of recordFiles.batches()) {
    for (const record of batch) {
      if (record.type === 'client') clients.push(record.client);
      else resources.push(record.resource);
    }
  }
  signal?.throwIfAborted();
  const { names, index } = recordFiles;
  return { names, clients, resources, errors, warnings, locate: (clientId) => index.client.locate(clientId) };
}

import { OperatorError } from '../../errors/operator-error.ts';
import type { Terminator } from '../../terminator/terminator.ts';
import type { Client } from '../client.ts';
import { caPinsOf, requiresChain } from '../methods/methods.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { describeForbiddenSharing, type SharedIdentities } from '../sharing/shared-identity.ts';
import { describeDiagnostic, type LocatedDiagnostic } from './diagnostics.ts';
import { findFiles, isIrregular } from './find-files.ts';
import { findSharedInFiles } from './find-shared-in-files.ts';
import { type ClientsFilesResult, readClientsFiles } from './read-clients-files.ts';

/** A clients file, or a folder of them. */
export interface ConfiguredFile {
  readonly file: string;
  /** The setting that names it; undefined if messages should not repeat that. */
  readonly setting: string | undefined;
}

/** What the server requires of its clients, besides valid records. */
export interface ClientRequirements {
  readonly policy: RegistrationPolicy;
  readonly terminator: Pick<Terminator, 'verification'>;
}

/** The records of a clients file, and what their clients share. */
export interface LoadedClientsFile extends ClientsFilesResult {
  readonly shared: SharedIdentities;
}

/**
 * Loads the records of a file, or of all files of a folder.
 *
 * @throws {OperatorError} with every error; errors of a file itself start with the setting
 * @throws the reason of the signal
 */
export async function loadClientsFile(
  configured: ConfiguredFile,
  requirements: ClientRequirements,
  stopping: AbortSignal,
): Promise<LoadedClientsFile> {
  const { policy } = requirements;
  const result = await readInTime(configured, policy, stopping);
  requireNoProblems(result, configured, requirements);
  const shared = await findSharedInFiles(result, { policy, now: Date.now() });
  stopping.throwIfAborted();
  if (policy.uniqueCertificates && shared.count > 0) throw new OperatorError(shared.lines(describeForbiddenSharing));
  return { ...result, shared };
}

/**
 * Lists the files with the records.
 *
 * @throws {OperatorError} if there are none, or if one is not a regular file
 */
export function listClientsFiles(configured: ConfiguredFile): readonly string[] {
  const { files, errors } = findFiles([configured.file]);
  const irregular = files.filter(isIrregular).map((file) => ({ file, message: 'is not a regular file' }));
  const problems = [...errors, ...irregular].map((error) => describeProblem(error, configured));
  if (problems.length > 0) throw new OperatorError(problems);
  return files;
}

const MAX_READ_MILLISECONDS = 60_000;

async function readInTime(
  configured: ConfiguredFile,
  policy: RegistrationPolicy,
  stopping: AbortSignal,
): Promise<ClientsFilesResult> {
  const files = listClientsFiles(configured);
  const timeout = AbortSignal.timeout(MAX_READ_MILLISECONDS);
  try {
    return await readClientsFiles(files, policy, Date.now(), AbortSignal.any([stopping, timeout]));
  } catch (error) {
    if (error !== timeout.reason) throw error;
    const { file } = configured;
    const errors = [{ file, message: 'takes more than a minute to read; write it as JSON Lines (.jsonl)' }];
    return {
      names: files,
      clients: [],
      resources: [],
      warnings: [],
      errors,
      locate: () => ({ file, location: '', line: 1, column: 1 }),
    };
  }
}

function requireNoProblems(
  result: ClientsFilesResult,
  configured: ConfiguredFile,
  { terminator }: ClientRequirements,
): void {
  const errors = result.errors.map((error) => describeProblem(error, configured));
  const problems = [...errors, ...verificationProblems(result.clients, terminator)];
  if (problems.length > 0) throw new OperatorError(problems);
}

function describeProblem(error: LocatedDiagnostic, { setting }: ConfiguredFile): string {
  const isOfFile = !('field' in error);
  return isOfFile && setting !== undefined ? `${setting}: ${describeDiagnostic(error)}` : describeDiagnostic(error);
}

/** Why some clients could never authenticate: the first client of each kind. */
function verificationProblems(
  clients: readonly Client[],
  { verification }: ClientRequirements['terminator'],
): string[] {
  const first = clients.find(({ registrations }) => registrations.some(requiresChain));
  if (first && verification.by === 'none') {
    const method = first.registrations.find(requiresChain)?.method;
    return [`client ${first.clientId} uses ${method}, but its certificate chain is not verified: ${verification.fix}`];
  }
  const pinned = clients.find(({ registrations }) => registrations.some((each) => caPinsOf(each).length > 0));
  if (!pinned || verification.by === 'countersign') return [];
  return [
    `client ${pinned.clientId} has tls_client_auth_ca, which requires COUNTERSIGN_CLIENT_CA_FILE: without it, the certification path is unknown`,
  ];
}

import { findConflictsAmong } from '../../administration/find-conflicts.ts';
import type { Client } from '../../clients/client.ts';
import { describeDiagnostic, type RecordDiagnostic } from '../../clients/files/diagnostics.ts';
import { findFiles } from '../../clients/files/find-files.ts';
import { type ClientsFilesResult, readClientsFiles } from '../../clients/files/read-clients-files.ts';
import { requiresChain } from '../../clients/methods/methods.ts';
import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import { OperatorError } from '../../operator-error.ts';
import { printValue } from '../output/document.ts';
import { type OutputFormat, styled, table } from '../output/text.ts';

export interface CheckOptions {
  readonly policy: RegistrationPolicy;
  /** Whether the settings say who verifies the chains of clients. */
  readonly isVerifierSet: boolean;
  readonly output: OutputFormat;
}

/**
 * `countersign clients check PATH…`: says whether the server would accept these records, and what is wrong with each; and
 * which of them `clients apply` would not write beside another, or nobody could verify.
 *
 * @param paths files, folders, and `-` for the standard input
 * @returns the exit code: 0 when all are sound
 * @throws {OperatorError} when a path names nothing
 */
export async function checkClients(
  paths: readonly string[],
  { policy, isVerifierSet, output }: CheckOptions,
): Promise<number> {
  const found = findFiles(paths);
  if (found.errors.length > 0) throw new OperatorError(found.errors);
  const now = Date.now();
  const sound = await readClientsFiles(found.files, policy, now);
  const unverified = isVerifierSet ? undefined : warnAboutUnverified(sound);
  const read = { ...sound, warnings: unverified ? [...sound.warnings, unverified] : sound.warnings };
  const owners = read.clients.map((client) => ({ client, location: placeOf(client, read) }));
  const conflicts = (await findConflictsAmong(owners, { policy, now })).lines();
  if (output === 'json') printJson(paths, read, conflicts);
  else printText(read, conflicts);
  return read.errors.length === 0 ? 0 : 1;
}

function placeOf({ clientId }: Client, { locate }: ClientsFilesResult): string {
  const { file, location } = locate(clientId);
  return `${file}, ${location}`;
}

/** Of one path, `file` is as it was given. */
function printJson(
  paths: readonly string[],
  { names, clients, errors, warnings }: ClientsFilesResult,
  conflicts: readonly string[],
): void {
  const [file, ...others] = paths;
  const ids = clients.map(({ clientId }) => clientId);
  const rest = { files: names, ok: errors.length === 0, clients: ids, errors, warnings, conflicts };
  printValue('json', others.length === 0 ? { file, ...rest } : rest);
}

function printText({ clients, errors, warnings }: ClientsFilesResult, conflicts: readonly string[]): void {
  for (const line of table(clients.map(row))) console.log(line);
  const told = [
    ...warnings.map(describeDiagnostic),
    ...conflicts.map((conflict) => `${conflict} (apply refuses them)`),
  ];
  for (const warning of told) console.log(`${styled('yellow', 'warning')} ${warning}`);
  for (const error of errors) console.log(`${styled('red', 'error')} ${describeDiagnostic(error)}`);
  const counts = [
    counted(clients.length, 'sound client'),
    counted(told.length, 'warning'),
    counted(errors.length, 'error'),
  ];
  console.log(styled(errors.length === 0 ? 'green' : 'red', counts.join(', ')));
}

function row({ clientId, enabled, authentication, scopes }: Client): string[] {
  return [clientId, enabled ? 'enabled' : 'disabled', authentication.method, scopes.join(' ') || '(no scope)'];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/**
 * One warning where the server, with the settings of this command, has nobody to verify the chains of clients that are
 * known by a name: the first of them, and how many there are.
 */
export function warnAboutUnverified({ clients, locate }: ClientsFilesResult): RecordDiagnostic | undefined {
  const named = clients.filter(({ authentication }) => requiresChain(authentication));
  const [first] = named;
  if (!first) return undefined;
  const whom = named.length === 1 ? 'this client' : `this and ${named.length - 1} more clients`;
  const message =
    `is tls_client_auth, and COUNTERSIGN_CLIENT_CA_FILE is not set here: a server without it ` +
    `verifies no chain, and refuses ${whom} or to start`;
  return { ...locate(first.clientId), client: first.clientId, field: 'token_endpoint_auth_method', message };
}

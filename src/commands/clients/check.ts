import type { Client } from '../../clients/client.ts';
import { describeDiagnostic, type LocatedDiagnostic, type RecordDiagnostic } from '../../clients/files/diagnostics.ts';
import { findFiles, ignoredFiles } from '../../clients/files/find-files.ts';
import { findSharedInFiles } from '../../clients/files/find-shared-in-files.ts';
import { type ClientsFilesResult, readClientsFiles } from '../../clients/files/read-clients-files.ts';
import { methodNames, requiresChain } from '../../clients/methods/methods.ts';
import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import {
  describeForbiddenSharing,
  type SharedIdentities,
  type SharedIdentity,
} from '../../clients/sharing/shared-identity.ts';
import type { Resource } from '../../resources/resource.ts';
import { counted } from '../../text.ts';
import { printValue } from '../output/document.ts';
import { type OutputFormat, styled, table } from '../output/text.ts';
import { reportShared } from './print-plan.ts';
import { findSharedPins } from './shared-pins.ts';

interface CheckOptions {
  readonly policy: RegistrationPolicy;
  /** Whether the settings define how the chains of clients are verified. */
  readonly isVerifierSet: boolean;
  readonly output: OutputFormat;
}

/**
 * `countersign clients check PATH…`: validates the records of files as the server does. Warns about certificates that
 * several clients share, and about clients whose chain the server cannot verify.
 *
 * @param paths files, folders, and `-` for standard input
 * @returns the exit code: 0, or 1 when a record is invalid or a path cannot be read
 */
export async function checkClients(
  paths: readonly string[],
  { policy, isVerifierSet, output }: CheckOptions,
): Promise<number> {
  const found = findFiles(paths);
  const now = Date.now();
  const read = await readClientsFiles(found.files, policy, now);
  const shared = await findSharedInFiles(read, { policy, now });
  const forbidden = policy.uniqueCertificates ? shared.first.map((each) => forbiddenError(each, read)) : [];
  const parsed = { ...read, errors: [...found.errors, ...read.errors, ...forbidden] };
  const unverified = isVerifierSet ? undefined : unverifiedWarning(parsed);
  const warnings: LocatedDiagnostic[] = [
    ...ignoredFiles(paths),
    ...parsed.warnings,
    ...sharedPinWarnings(parsed),
    ...(unverified ? [unverified] : []),
  ];
  const checked = { ...parsed, warnings };
  if (output === 'json') printJson(paths, checked, shared);
  else await printText(checked, policy.uniqueCertificates ? [] : shared.lines());
  return checked.errors.length === 0 ? 0 : 1;
}

/** It is reported at the first of the clients, and names the others. */
function forbiddenError(shared: SharedIdentity, { locate }: ClientsFilesResult): RecordDiagnostic {
  const client = shared.clients[0]?.clientId ?? '';
  return { ...locate(client), client, field: '(record)', message: describeForbiddenSharing(shared) };
}

/** One warning for all clients that the server, with the settings of this command, cannot verify the chain of. */
function unverifiedWarning({ clients, locate }: ClientsFilesResult): RecordDiagnostic | undefined {
  const named = clients.filter(({ registrations }) => registrations.some(requiresChain));
  const [first] = named;
  if (!first) return undefined;
  const affected = named.length === 1 ? 'this client' : `this and ${named.length - 1} more clients`;
  const message =
    `is tls_client_auth, and COUNTERSIGN_CLIENT_CA_FILE is not set here: a server without it ` +
    `cannot verify the chain, and either rejects ${affected} or does not start`;
  return { ...locate(first.clientId), client: first.clientId, field: 'token_endpoint_auth_method', message };
}

function sharedPinWarnings({ clients, locate }: ClientsFilesResult): RecordDiagnostic[] {
  return findSharedPins(clients).map(({ client: { clientId }, field, message }) => ({
    ...locate(clientId),
    client: clientId,
    field,
    message,
  }));
}

type CheckedFiles = Omit<ClientsFilesResult, 'warnings'> & { readonly warnings: readonly LocatedDiagnostic[] };

/** With a single path, `file` repeats it as it was given. */
function printJson(
  paths: readonly string[],
  { names, clients, resources, errors, warnings }: CheckedFiles,
  shared: SharedIdentities,
): void {
  const [file, ...others] = paths;
  const report = {
    files: names,
    ok: errors.length === 0,
    clients: clients.map(({ clientId }) => clientId),
    resources: resources.map(({ name }) => name),
    errors,
    warnings,
    shared: reportShared(shared),
  };
  printValue('json', others.length === 0 ? { file, ...report } : report);
}

async function printText(
  { clients, resources, errors, warnings }: CheckedFiles,
  shared: readonly string[],
): Promise<void> {
  for (const line of await table([...clients.map(clientRow), ...resources.map(resourceRow)])) console.log(line);
  const allWarnings = [...warnings.map(describeDiagnostic), ...shared];
  for (const warning of allWarnings) console.log(`${styled('yellow', 'warning')} ${warning}`);
  for (const error of errors) console.log(`${styled('red', 'error')} ${describeDiagnostic(error)}`);
  const counts = [
    counted(clients.length, 'valid client'),
    ...(resources.length > 0 ? [counted(resources.length, 'valid resource')] : []),
    counted(allWarnings.length, 'warning'),
    counted(errors.length, 'error'),
  ];
  console.log(styled(errors.length === 0 ? 'green' : 'red', counts.join(', ')));
}

function clientRow({ clientId, enabled, registrations, scopes }: Client): string[] {
  return [
    clientId,
    enabled ? 'enabled' : 'disabled',
    methodNames(registrations).join(', '),
    scopes.join(' ') || '(no scope)',
  ];
}

function resourceRow({ name, binding, scopes }: Resource): string[] {
  return [name, 'resource', `binding: ${binding.kind}`, scopes.join(' ')];
}

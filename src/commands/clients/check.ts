import type { Client } from '../../clients/client.ts';
import { type ClientFinding, ClientsFileError, describeFinding, readClientsFile } from '../../clients/clients-file.ts';
import type { RegistrationPolicy } from '../../clients/findings.ts';
import { StartupError } from '../../operations/startup-error.ts';
import { type OutputFormat, styled, table } from '../output.ts';

/**
 * `countersign clients check FILE`: says whether the server would accept these records, and what is wrong with each.
 *
 * @returns the exit code: 0 when all are sound
 * @throws {StartupError} when the file cannot be read
 */
export function checkClients(file: string, policy: RegistrationPolicy, output: OutputFormat): number {
  const { clients, faults, warnings } = readFileOrExplain(file, policy);
  if (output === 'json') {
    const ids = clients.map(({ clientId }) => clientId);
    console.log(JSON.stringify({ file, ok: faults.length === 0, clients: ids, faults, warnings }, null, 2));
  } else {
    for (const line of table(clients.map(row))) console.log(line);
    for (const warning of warnings) console.log(`${styled('yellow', 'warning')} ${describeFinding(file, warning)}`);
    for (const fault of faults) console.log(`${styled('red', 'fault')} ${describeFinding(file, fault)}`);
    console.log(summary(clients, faults, warnings));
  }
  return faults.length === 0 ? 0 : 1;
}

function readFileOrExplain(file: string, policy: RegistrationPolicy) {
  try {
    return readClientsFile(file, policy, Date.now());
  } catch (error) {
    if (error instanceof ClientsFileError) throw new StartupError([error.message]);
    throw error;
  }
}

function row({ clientId, enabled, authentication, scopes }: Client): string[] {
  return [clientId, enabled ? 'enabled' : 'disabled', authentication.method, scopes.join(' ') || '(no scope)'];
}

function summary(
  clients: readonly Client[],
  faults: readonly ClientFinding[],
  warnings: readonly ClientFinding[],
): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const text = `${counted(clients.length, 'sound client')}, ${counted(warnings.length, 'warning')}, ${counted(faults.length, 'fault')}`;
  return styled(faults.length === 0 ? 'green' : 'red', text);
}

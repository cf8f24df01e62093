import { type CandidateClient, clientsOfCertificate } from '../../administration/clients-of-certificate.ts';
import { methodNames } from '../../clients/methods/methods.ts';
import { MAX_CERTIFICATE_MEBIBYTES } from '../../files/bounded-file.ts';
import { type PasswordOptions, readPassword } from '../../files/read-password.ts';
import { parseCertificateContainer } from '../../pki/certificate/certificate-container.ts';
import { type ClientCertificate, parseClientCertificate } from '../../pki/certificate/client-certificate.ts';
import type { Environment } from '../../settings/settings.ts';
import { type InputFile, parseInput, readInput } from '../input-file.ts';
import { printValue } from '../output/document.ts';
import { table } from '../output/text.ts';
import { openAdministration } from './administration.ts';
import { describeRegistration, formatRegistration, type Registration } from './client-report.ts';
import type { ClientsFormat } from './options.ts';

export interface ShowCertificateOptions extends PasswordOptions {
  readonly output: ClientsFormat;
}

/**
 * `countersign clients show --certificate FILE`: prints the clients that the certificate matches.
 *
 * @returns the exit code: 0, or 1 when it matches none
 * @throws {OperatorError} when the file has no valid client certificate, or Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function showClientsOfCertificate(
  env: Environment,
  file: string,
  { output, ...passwordOptions }: ShowCertificateOptions,
): Promise<number> {
  const certificate = readCertificate(await readInput(file, MAX_CERTIFICATE_MEBIBYTES), readPassword(passwordOptions));
  await using administration = await openAdministration(env);
  const { store, policy, now, interruption } = administration;
  const candidates = await interruption.abortable(clientsOfCertificate(certificate, store, policy, now));
  const clients = candidates.map((candidate) => reportCandidate(candidate, now));
  const { thumbprint } = certificate;
  if (output !== 'table') printValue(output, { thumbprint, clients });
  else if (clients.length === 0) console.log(`no client is registered for the certificate ${thumbprint}`);
  else for (const line of await table(candidates.flatMap((candidate) => rowsOf(candidate, now)))) console.log(line);
  return clients.length > 0 ? 0 : 1;
}

function readCertificate(input: InputFile, password: string): ClientCertificate {
  return parseInput(input, (content) =>
    parseClientCertificate(parseCertificateContainer(content, password).certificates[0]),
  );
}

/** A client that the certificate matches, in JSON and YAML. */
interface CandidateReport {
  readonly client_id: string;
  readonly enabled: boolean;
  readonly method: string;
  /** The registrations that match. */
  readonly registrations: readonly Registration[];
}

function reportCandidate({ client, identities }: CandidateClient, now: number): CandidateReport {
  return {
    client_id: client.clientId,
    enabled: client.enabled,
    method: methodNames(client.registrations).join(', '),
    registrations: identities.map((registered) => describeRegistration(registered, now)),
  };
}

function rowsOf(candidate: CandidateClient, now: number): string[][] {
  const { client_id: clientId, enabled, method } = reportCandidate(candidate, now);
  const state = enabled ? 'enabled' : 'disabled';
  return candidate.identities.map((registered) => {
    // `countersign certificate --ca` verifies the chain.
    const condition = registered.requiresChain ? 'if its chain is verified' : '';
    return [clientId, state, method, formatRegistration(describeRegistration(registered, now)), condition];
  });
}

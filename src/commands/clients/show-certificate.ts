import { type CandidateClient, clientsOfCertificate } from '../../administration/clients-of-certificate.ts';
import { OperatorError } from '../../operator-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../../pki/certificate/pem.ts';
import type { Environment } from '../../settings/settings.ts';
import { type InputFile, readInput } from '../input-file.ts';
import { printValue } from '../output/document.ts';
import { table } from '../output/text.ts';
import { openAdministration } from './administer.ts';
import type { ClientsFormat } from './plan.ts';
import { describeRegistration, formatRegistration, type Registration } from './show.ts';

/** A client that a certificate could be, for programs. */
export interface CandidateReport {
  readonly client_id: string;
  readonly enabled: boolean;
  readonly method: string;
  /** By what of the certificate. */
  readonly registrations: readonly Registration[];
}

/**
 * `countersign clients show --certificate FILE`: which clients the certificate could be.
 *
 * @returns the exit code: 0, or 1 where it is nobody's
 * @throws {OperatorError} when the file holds no certificate of a client, or where Redis fails
 */
export async function showClientsOfCertificate(env: Environment, file: string, output: ClientsFormat): Promise<number> {
  const certificate = readCertificate(await readInput(file));
  return openAdministration(env, async ({ store, policy, now }) => {
    const possible = await clientsOfCertificate(certificate, store, policy, now);
    const clients = possible.map((each) => reportOn(each, now));
    const { thumbprint } = certificate;
    if (output !== 'table') printValue(output, { thumbprint, clients });
    else if (clients.length === 0) console.log(`no client is registered by anything of the certificate ${thumbprint}`);
    else for (const line of table(clients.flatMap(rowsOf))) console.log(line);
    return clients.length > 0 ? 0 : 1;
  });
}

function readCertificate({ name, content }: InputFile): ClientCertificate {
  try {
    const [der] = parseCertificateFile(content);
    if (der) return parseClientCertificate(der);
  } catch (error) {
    throw new OperatorError([`${name}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  throw new OperatorError([`${name}: holds no certificate, neither PEM (-----BEGIN CERTIFICATE-----) nor DER`]);
}

function reportOn({ client, identities }: CandidateClient, now: number): CandidateReport {
  return {
    client_id: client.clientId,
    enabled: client.enabled,
    method: client.authentication.method,
    registrations: identities.map((claim) => describeRegistration(claim, now)),
  };
}

function rowsOf({ client_id: clientId, enabled, method, registrations }: CandidateReport): string[][] {
  // A name counts only with a chain that somebody vouches for; `countersign certificate --ca` says whether it has one.
  const condition = method === 'tls_client_auth' ? 'where its chain is verified' : '';
  const state = enabled ? 'enabled' : 'disabled';
  return registrations.map((each) => [clientId, state, method, formatRegistration(each), condition]);
}

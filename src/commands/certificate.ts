import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { CertificateError } from '../certificate/certificate-error.ts';
import { readCertificateStructure } from '../certificate/certificate-structure.ts';
import { type ClientCertificate, parseClientCertificate, requireValidAt } from '../certificate/client-certificate.ts';
import { formatDistinguishedName, readDistinguishedName } from '../certificate/distinguished-name.ts';
import { Extension } from '../certificate/extensions.ts';
import { readCertificateFile as readCertificates } from '../certificate/pem.ts';
import { readAlternativeNames } from '../certificate/subject-alternative-names.ts';
import { sha256Thumbprint } from '../certificate/thumbprint.ts';
import { StartupError } from '../operations/startup-error.ts';
import { type OutputFormat, styled, table } from './output.ts';

/** What stands in a certificate, and whether the server would take it from a client. */
interface Report {
  readonly subject: string;
  readonly issuer: string;
  readonly alternative_names: Readonly<Record<string, readonly string[]>>;
  readonly thumbprint: string;
  readonly thumbprint_hex: string;
  readonly not_before: string;
  readonly not_after: string;
  readonly key: string;
  readonly signature_algorithm: string;
  /** Why the server refuses it, now or always. */
  readonly refused: readonly string[];
  readonly records: { readonly tls_client_auth: object; readonly self_signed_tls_client_auth: object };
}

/**
 * `countersign certificate FILE`: prints what is in a certificate, and the client records to paste for it.
 *
 * @returns the exit code: 0 also for a certificate that the server would refuse
 * @throws {StartupError} when the file holds no certificate
 */
export function describeCertificate(file: string, output: OutputFormat): number {
  const { der, others } = readCertificateFile(file);
  const report = reportOn(der, file);
  if (output === 'json') {
    console.log(JSON.stringify(report, null, 2));
    return 0;
  }
  for (const line of table(factRows(report))) console.log(line);
  for (const reason of report.refused) console.log(`${styled('red', 'The server refuses it:')} it ${reason}`);
  if (others > 0)
    console.log(`${styled('yellow', 'Note:')} the file holds ${others} more; only the first identifies a client`);
  printRecord('By its name, where a CA vouches for it', report.records.tls_client_auth);
  printRecord('By this very certificate, whoever issued it', report.records.self_signed_tls_client_auth);
  return 0;
}

function readCertificateFile(file: string): { der: Uint8Array; others: number } {
  try {
    const [der, ...others] = readCertificates(readFileSync(file));
    if (der) return { der, others: others.length };
  } catch (error) {
    throw new StartupError([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  throw new StartupError([`${file}: holds no certificate, neither PEM (-----BEGIN CERTIFICATE-----) nor DER`]);
}

function reportOn(der: Uint8Array, file: string): Report {
  try {
    return readReport(der);
  } catch (error) {
    throw new StartupError([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function readReport(der: Uint8Array): Report {
  const structure = readCertificateStructure(der);
  const openssl = new X509Certificate(der);
  const subject = formatDistinguishedName(readDistinguishedName(structure.subject));
  const { names } = readAlternativeNames(structure.extensions.get(Extension.subjectAlternativeName));
  const thumbprint = sha256Thumbprint(der);
  return {
    subject,
    issuer: formatDistinguishedName(readDistinguishedName(structure.issuer)),
    alternative_names: names,
    thumbprint,
    thumbprint_hex: openssl.fingerprint256.replaceAll(':', '').toLowerCase(),
    not_before: openssl.validFromDate.toISOString(),
    not_after: openssl.validToDate.toISOString(),
    key: describeKey(openssl),
    signature_algorithm: openssl.signatureAlgorithm ?? 'unknown',
    refused: refusals(der),
    records: {
      tls_client_auth: recordByName(subject, names),
      self_signed_tls_client_auth: recordByThumbprint(thumbprint),
    },
  };
}

function describeKey({ publicKey }: X509Certificate): string {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  return [publicKey.asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
}

/** Exactly the checks of the server. */
function refusals(der: Uint8Array): string[] {
  let certificate: ClientCertificate;
  try {
    certificate = parseClientCertificate(der);
    requireValidAt(certificate, Date.now());
  } catch (error) {
    if (error instanceof CertificateError) return [error.message];
    throw error;
  }
  if (certificate.signatureAlgorithm !== undefined) return [];
  return ['is signed with an algorithm that tls_client_auth does not accept (SHA-1, MD5 or unknown)'];
}

const tokenFields = { scope: 'api1', audience: 'https://api.example' };

function recordByName(subject: string, names: Report['alternative_names']): object {
  const alternative = (['uri', 'dns', 'ip', 'email'] as const).find((kind) => names[kind]?.[0] !== undefined);
  const byName =
    subject === '' && alternative
      ? { [`tls_client_auth_san_${alternative}`]: names[alternative]?.[0] }
      : { tls_client_auth_subject_dn: subject };
  return { client_id: 'CHOOSE-ONE', token_endpoint_auth_method: 'tls_client_auth', ...byName, ...tokenFields };
}

function recordByThumbprint(thumbprint: string): object {
  const method = 'self_signed_tls_client_auth';
  return {
    client_id: 'CHOOSE-ONE',
    token_endpoint_auth_method: method,
    certificates: [{ thumbprint }],
    ...tokenFields,
  };
}

function factRows(report: Report): string[][] {
  const names = Object.entries(report.alternative_names).flatMap(([kind, values]) =>
    values.map((value) => [`${kind} name`, value]),
  );
  return [
    ['subject', report.subject || '(empty)'],
    ...names,
    ['issuer', report.issuer],
    ['valid', `${report.not_before} to ${report.not_after}`],
    ['key', report.key],
    ['signature', report.signature_algorithm],
    ['thumbprint', report.thumbprint],
    ['  in hex', report.thumbprint_hex],
  ];
}

function printRecord(title: string, record: object): void {
  console.log(`\n${styled('bold', `${title}:`)}`);
  console.log(stringify([record], { lineWidth: 0 }).trimEnd());
}

import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { ConfigurationError, OperatorError } from '../errors/operator-error.ts';
import { MAX_CERTIFICATE_MEBIBYTES } from '../files/bounded-file.ts';
import { type PasswordOptions, readPassword } from '../files/read-password.ts';
import { parseCertificateContainer } from '../pki/certificate/certificate-container.ts';
import { parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { type LoadedTrustStore, loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnsuitable } from './certificate-names.ts';
import { type CertificateReport, factRows, reportOn } from './certificate-report.ts';
import { parseInput, readInput } from './input-file.ts';
import { printValue } from './output/document.ts';
import { printWarnings } from './output/errors.ts';
import { type OutputFormat, styled, table } from './output/text.ts';
import { type PathReport, printPath, reportPath } from './path-report.ts';
import { readRecordsConfig } from './records-config.ts';
import { type Suggestions, suggestPin } from './suggested-record.ts';
import type { FileVerification, verifyFile } from './verify-file.ts';

export interface CertificateOptions extends PasswordOptions {
  /** CA certificates, a file or folder. Default: `COUNTERSIGN_CLIENT_CA_FILE`. */
  readonly ca?: string;
  readonly crl?: readonly string[];
  readonly output: OutputFormat;
}

/**
 * `countersign certificate FILE` (`-` for standard input): prints the contents of a certificate and records to register
 * it with. With CAs, it also validates the certification path as the server does.
 *
 * @param env the settings that determine which records the server accepts
 * @returns the exit code: 0 if the server would accept the certificate, or could trust the CA
 * @throws {OperatorError} when a file cannot be read or contains no certificate, or a setting is invalid
 */
export async function describeCertificate(
  file: string,
  options: CertificateOptions,
  env: Environment,
): Promise<number> {
  // With --ca, the configured CAs are not used, and may be those of another machine.
  const { COUNTERSIGN_CLIENT_CA_FILE: _, ...withoutCas } = env;
  const { policy, warnings, clientCa } = readRecordsConfig(options.ca === undefined ? env : withoutCas);
  printWarnings(warnings);
  const password = readPassword(options);
  const input = await readInput(file, MAX_CERTIFICATE_MEBIBYTES);
  const { certificates, unread } = parseInput(input, (content) => parseCertificateContainer(content, password));
  const [der, ...others] = certificates;
  const report = parseInput(input, () => reportOn(der));
  const cas = casFor(report, options, clientCa?.store);
  const verification = cas && (await verify(der, others, { trust: cas.store, crl: options.crl ?? [] }));
  const path = verification && reportPath(verification.chain, report.subject);
  const allUnread = [...unread, ...(cas?.unread ?? []), ...(verification?.unread ?? [])];
  const suggestions = await suggestionsFor(der, report, verification, policy);
  if (options.output === 'json') {
    const { records, unsuitable } = suggestions;
    const suggested = { records: records.map(({ record }) => record), unsuitable };
    printValue('json', { ...report, ...(path && { path }), ...suggested, unread: allUnread });
  } else {
    await printReport(report, { others: others.length, unread: allUnread, path });
    printSuggestions(suggestions);
  }
  return report.rejected.length === 0 && path?.verified !== false ? 0 : 1;
}

/**
 * The CAs to verify a certificate with: those of `--ca`, or else the configured ones if it is a certificate that they could
 * have issued to a client. No CA verifies a self-signed one, which can still be registered by itself.
 */
function casFor(
  { is_ca: isCa, self_signed: isSelfSigned }: CertificateReport,
  { ca, crl }: CertificateOptions,
  configured: TrustStore | undefined,
): LoadedTrustStore | undefined {
  if (ca !== undefined) return loadCas(ca);
  if (configured && !isCa && !isSelfSigned) return { store: configured, unread: [] };
  if (crl === undefined || configured) return undefined;
  throw new ConfigurationError([
    '--crl requires the CAs that signed the CRLs: add --ca, or set COUNTERSIGN_CLIENT_CA_FILE',
  ]);
}

/** Path validation and CRLs are loaded only if there are CAs. */
async function verify(...certificate: Parameters<typeof verifyFile>): Promise<FileVerification> {
  const { verifyFile } = await import('./verify-file.ts');
  return await verifyFile(...certificate);
}

function loadCas(path: string): LoadedTrustStore {
  try {
    return loadTrustStore(path);
  } catch (error) {
    throw new OperatorError([error instanceof Error ? error.message : String(error)]);
  }
}

/** No record is suggested for a certificate that the server rejects with every record. */
async function suggestionsFor(
  der: Uint8Array,
  { is_ca: isCa, rejected, public_key_thumbprint: key }: CertificateReport,
  verification: FileVerification | undefined,
  policy: RegistrationPolicy,
): Promise<Suggestions> {
  if (rejected.length > 0) return { records: [], unsuitable: [] };
  if (isCa) return { records: [suggestPin(key)], unsuitable: [] };
  const anchors = verification?.anchors ?? policy.anchors;
  // The schema of records is loaded only if there is a record to suggest.
  const { suggestRecords } = await import('./certificate-records.ts');
  const context = { chain: verification?.chain, policy: { ...policy, anchors }, now: Date.now() };
  return await suggestRecords(parseClientCertificate(der), context);
}

function printSuggestions({ records, unsuitable }: Suggestions): void {
  for (const { title, yaml } of records) console.log(`\n${styled('bold', `${title}:`)}\n${yaml}`);
  if (unsuitable.length > 0) console.log('');
  for (const name of unsuitable) console.log(describeUnsuitable(name));
}

interface ReportContext {
  /** The number of further certificates in the file. */
  readonly others: number;
  /** Parts of the files that are not read. */
  readonly unread: readonly string[];
  readonly path: PathReport | undefined;
}

async function printReport(report: CertificateReport, { others, unread, path }: ReportContext): Promise<void> {
  for (const line of await table(factRows(report))) console.log(line);
  if (report.is_ca)
    console.log(`${styled('yellow', 'Note:')} this is a CA certificate, which a client may not present`);
  for (const reason of report.rejected) console.log(`${styled('red', 'Rejected by the server:')} it ${reason}`);
  const role = path ? 'they were used to build a path' : 'only the first certificate identifies a client';
  if (others > 0) console.log(`${styled('yellow', 'Note:')} the file contains ${others} more; ${role}`);
  for (const part of unread) console.log(`${styled('yellow', 'Note:')} ${part}`);
  if (path) printPath(path);
}

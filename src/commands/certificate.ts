import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../pki/certificate/pem.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnsuitable } from './certificate-names.ts';
import { type Suggestions, suggestPin, suggestRecords } from './certificate-records.ts';
import { type CertificateReport, factRows, reportOn } from './certificate-report.ts';
import { parseInput, readInput } from './input-file.ts';
import { printValue } from './output/document.ts';
import { printWarnings } from './output/errors.ts';
import { type OutputFormat, styled, table } from './output/text.ts';
import {
  type FileVerification,
  type PathOptions,
  type PathReport,
  printPath,
  reportPath,
  verifyFile,
} from './path-report.ts';
import { readRecordsConfig } from './records-config.ts';

export interface CertificateOptions extends PathOptions {
  readonly output: OutputFormat;
}

/**
 * `countersign certificate FILE` (`-` for standard input): prints the contents of a certificate and records to register
 * it with. With `--ca`, it also validates the certification path as the server does.
 *
 * @param env the settings that determine which records the server accepts
 * @returns the exit code: 0 if the server would accept the certificate, or could trust the CA
 * @throws {OperatorError} when a file cannot be read or contains no certificate, or a setting is invalid
 */
export async function describeCertificate(
  file: string,
  { output, ...options }: CertificateOptions,
  env: Environment,
): Promise<number> {
  const { policy, warnings } = readRecordsConfig(env);
  printWarnings(warnings);
  const input = await readInput(file);
  const { certificates, unread } = parseInput(input, parseCertificateFile);
  const [der, ...others] = certificates;
  const report = parseInput(input, () => reportOn(der));
  const verification = options.ca === undefined ? undefined : await verifyFile(der, others, options);
  const path = verification && reportPath(verification.chain, report.subject);
  const allUnread = [...unread, ...(verification?.unread ?? [])];
  const suggestions = await suggestionsFor(der, report, verification, policy);
  if (output === 'json') {
    const { records, unsuitable } = suggestions;
    const suggested = { records: records.map(({ record }) => record), unsuitable };
    printValue('json', { ...report, ...(path && { path }), ...suggested, unread: allUnread });
  } else {
    await printReport(report, { others: others.length, unread: allUnread, path });
    printSuggestions(suggestions);
  }
  return report.rejected.length === 0 && path?.verified !== false ? 0 : 1;
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

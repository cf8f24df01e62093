import { OperatorError } from '../operator-error.ts';
import { parseCertificateFile } from '../pki/certificate/pem.ts';
import { type CertificateReport, factRows, recordsFor, reportOn } from './certificate-report.ts';
import { type InputFile, parseInput, readInput } from './input-file.ts';
import { type OutputFormat, styled, table } from './output/text.ts';
import { type PathOptions, type PathReport, printPath, verifyFile } from './path-report.ts';

export interface CertificateOptions extends PathOptions {
  readonly output: OutputFormat;
}

/**
 * `countersign certificate FILE` (`-` for standard input): prints the contents of a certificate and records to register
 * it with. With `--ca`, it also validates the certification path as the server does.
 *
 * @returns the exit code: 0 if the server would accept the certificate, or could trust the CA
 * @throws {OperatorError} when a file cannot be read or contains no certificate
 */
export async function describeCertificate(file: string, { output, ...options }: CertificateOptions): Promise<number> {
  const input = await readInput(file);
  const { der, others } = readCertificates(input);
  const report = parseInput(input, () => reportOn(der));
  const path = options.ca === undefined ? undefined : await verifyFile(der, others, options);
  const isAccepted = report.rejected.length === 0 && path?.verified !== false;
  const records = isAccepted ? recordsFor(report) : [];
  if (output === 'json') {
    const suggested = records.map(({ record }) => record);
    console.log(JSON.stringify({ ...report, ...(path && { path }), records: suggested }, null, 2));
  } else {
    printReport(report, { others: others.length, path });
    for (const { title, yaml } of records) console.log(`\n${styled('bold', `${title}:`)}\n${yaml}`);
  }
  return isAccepted ? 0 : 1;
}

function readCertificates(input: InputFile): { der: Uint8Array; others: readonly Uint8Array[] } {
  const { name, content } = input;
  const [der, ...others] = parseInput(input, parseCertificateFile);
  if (der) return { der, others };
  const [, label] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(content.toString('latin1')) ?? [];
  const instead = label === undefined ? '' : `; it contains a ${label.toLowerCase()}`;
  throw new OperatorError([
    `${name}: contains no certificate, neither PEM (-----BEGIN CERTIFICATE-----) nor DER${instead}`,
  ]);
}

interface ReportContext {
  /** The number of further certificates in the file. */
  readonly others: number;
  readonly path: PathReport | undefined;
}

function printReport(report: CertificateReport, { others, path }: ReportContext): void {
  for (const line of table(factRows(report))) console.log(line);
  if (report.is_ca)
    console.log(`${styled('yellow', 'Note:')} this is a CA certificate, which a client may not present`);
  for (const reason of report.rejected) console.log(`${styled('red', 'Rejected by the server:')} it ${reason}`);
  const role = path ? 'they were used to build a path' : 'only the first certificate identifies a client';
  if (others > 0) console.log(`${styled('yellow', 'Note:')} the file contains ${others} more; ${role}`);
  if (path) printPath(path);
}

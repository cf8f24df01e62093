import { OperatorError } from '../operator-error.ts';
import { parseCertificateFile } from '../pki/certificate/pem.ts';
import { type CertificateReport, factRows, recordsFor, reportOn } from './certificate-report.ts';
import { type InputFile, readInput } from './input-file.ts';
import { type OutputFormat, styled, table } from './output/text.ts';
import { type PathOptions, type PathReport, printPath, verifyFile } from './path-report.ts';

export interface CertificateOptions extends PathOptions {
  readonly output: OutputFormat;
}

/**
 * `countersign certificate FILE` (`-` for standard input): prints what is in a certificate, and what to paste into client records for it. With
 * CAs, it verifies the certificate to them as the server does.
 *
 * @returns the exit code: 0 where the server would take the certificate, or could trust the CA
 * @throws {OperatorError} when a file holds nothing that can be read
 */
export async function describeCertificate(file: string, { output, ...options }: CertificateOptions): Promise<number> {
  const input = await readInput(file);
  const { der, others } = readCertificates(input);
  const report = explaining(input, () => reportOn(der));
  const path = options.ca === undefined ? undefined : await verifyFile(der, others, options);
  const isAccepted = report.rejected.length === 0 && path?.verified !== false;
  const records = isAccepted ? recordsFor(report) : [];
  if (output === 'json') {
    const pasted = records.map(({ record }) => record);
    console.log(JSON.stringify({ ...report, ...(path && { path }), records: pasted }, null, 2));
  } else {
    printReport(report, { others: others.length, path });
    for (const { title, yaml } of records) console.log(`\n${styled('bold', `${title}:`)}\n${yaml}`);
  }
  return isAccepted ? 0 : 1;
}

function readCertificates(input: InputFile): { der: Uint8Array; others: readonly Uint8Array[] } {
  const { name, content } = input;
  const [der, ...others] = explaining(input, () => parseCertificateFile(content));
  if (der) return { der, others };
  const [, label] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(content.toString('latin1')) ?? [];
  const instead = label === undefined ? '' : `; it holds a ${label.toLowerCase()}`;
  throw new OperatorError([
    `${name}: holds no certificate, neither PEM (-----BEGIN CERTIFICATE-----) nor DER${instead}`,
  ]);
}

function explaining<Value>({ name }: InputFile, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new OperatorError([`${name}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

interface Beside {
  readonly others: number;
  readonly path: PathReport | undefined;
}

function printReport(report: CertificateReport, { others, path }: Beside): void {
  for (const line of table(factRows(report))) console.log(line);
  if (report.is_ca) console.log(`${styled('yellow', 'Note:')} it is a CA certificate, which no client may show`);
  for (const reason of report.rejected) console.log(`${styled('red', 'The server refuses it:')} it ${reason}`);
  const role = path ? 'were used to find a path' : 'only the first identifies a client';
  if (others > 0) console.log(`${styled('yellow', 'Note:')} the file holds ${others} more; ${role}`);
  if (path) printPath(path);
}

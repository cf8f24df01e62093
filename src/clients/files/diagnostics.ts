import { abbreviate, printable } from '../../text.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { type ClientsFileError, type PlacedRecord, placeOf } from './parse-records.ts';

/** What is to be said about a client of a file. */
export interface FileDiagnostic extends Diagnostic {
  readonly file: string;
  /** Its `client_id`; without one, its location in parentheses. */
  readonly client: string;
  /** Which record of the file it is: `number 3 in the list`, or `line 3`. */
  readonly location: string;
}

/** Why a file, or a line of it, cannot be read. */
export type FileError = Pick<ClientsFileError, 'file' | 'message'>;

export type ReportedDiagnostic = FileDiagnostic | FileError;

/** A error of a file. Whoever wrote it chose how long the names in it are. */
export function fileErrorOf({ file, message }: ClientsFileError): FileError {
  return { file, message: abbreviate(message) };
}

/** What is to be said about a record of a file. */
export function diagnosticOf(
  file: string,
  { number, value }: PlacedRecord,
  { field, message }: Diagnostic,
): FileDiagnostic {
  const location = placeOf(file, number);
  const client = clientIdOf(value) ?? `(${location})`;
  return { file, client: abbreviate(client), location, field: abbreviate(field), message: abbreviate(message) };
}

/** The `client_id` of what may be a record. */
export function clientIdOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && 'client_id' in value;
  return isObject && typeof value.client_id === 'string' ? value.client_id : undefined;
}

/** One line for a finding: file, client, field, what is wrong. */
export function describeDiagnostic(finding: ReportedDiagnostic): string {
  if (!('client' in finding)) return printable(`${finding.file}: ${finding.message}`);
  const { file, client, location, field, message } = finding;
  const where = `(${location})`;
  return printable(`${file}: client ${client === where ? where : `${client} ${where}`}: ${field} ${message}`);
}

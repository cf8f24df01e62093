import { abbreviate, printable } from '../../text.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { type ClientsFileError, type FileRecord, recordLocation } from './parse-records.ts';

/** What is to be said about a client of a file. */
export interface RecordDiagnostic extends Diagnostic {
  readonly file: string;
  /** Its `client_id`; without one, its location in parentheses. */
  readonly client: string;
  /** Which record of the file it is: `number 3 in the list`, or `line 3`. */
  readonly location: string;
}

/** Why a file, or a line of it, cannot be read. */
export type FileDiagnostic = Pick<ClientsFileError, 'file' | 'message'>;

export type LocatedDiagnostic = RecordDiagnostic | FileDiagnostic;

/** A error of a file. Whoever wrote it chose how long the names in it are. */
export function fileDiagnosticOf({ file, message }: ClientsFileError): FileDiagnostic {
  return { file, message: abbreviate(message) };
}

/** What is to be said about a record of a file. */
export function recordDiagnosticOf(
  file: string,
  { number, value }: FileRecord,
  { field, message }: Diagnostic,
): RecordDiagnostic {
  const location = recordLocation(file, number);
  const client = clientIdOf(value) ?? `(${location})`;
  return { file, client: abbreviate(client), location, field: abbreviate(field), message: abbreviate(message) };
}

/** The `client_id` of what may be a record. */
export function clientIdOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && 'client_id' in value;
  return isObject && typeof value.client_id === 'string' ? value.client_id : undefined;
}

/** One line for a finding: file, client, field, what is wrong. */
export function describeDiagnostic(finding: LocatedDiagnostic): string {
  if (!('client' in finding)) return printable(`${finding.file}: ${finding.message}`);
  const { file, client, location, field, message } = finding;
  const where = `(${location})`;
  return printable(`${file}: client ${client === where ? where : `${client} ${where}`}: ${field} ${message}`);
}

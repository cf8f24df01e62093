import { abbreviate, printable } from '../../text.ts';
import { type Diagnostic, formatDiagnostic } from '../diagnostics.ts';
import { type ClientsFileError, type FileRecord, recordLocation } from './parse-records.ts';

/** A problem of a clients file: of one of its records, or of the file or line as a whole. */
export type LocatedDiagnostic = RecordDiagnostic | FileDiagnostic;

/** A problem of a record. */
export interface RecordDiagnostic extends Diagnostic, RecordLocation {
  /** The `client_id`; if there is none, the location in parentheses. */
  readonly client: string;
}

/** Where a record is. */
export interface RecordLocation {
  readonly file: string;
  /** `record 3`, or `line 3` of JSON Lines. */
  readonly location: string;
}

/** Why a file, or a line of it, cannot be read or parsed. */
export type FileDiagnostic = Pick<ClientsFileError, 'file' | 'message'>;

/** The author of a file chooses the length of what a message quotes, so it is abbreviated. */
export function fileDiagnosticOf({ file, message }: ClientsFileError): FileDiagnostic {
  return { file, message: abbreviate(message) };
}

export function recordDiagnosticOf(
  file: string,
  { number, value }: FileRecord,
  { field, message }: Diagnostic,
): RecordDiagnostic {
  const location = recordLocation(file, number);
  const client = clientIdOf(value) ?? `(${location})`;
  return { file, client: abbreviate(client), location, field: abbreviate(field), message: abbreviate(message) };
}

/** The `client_id` of a value that may not be a valid record. */
export function clientIdOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && 'client_id' in value;
  return isObject && typeof value.client_id === 'string' ? value.client_id : undefined;
}

/** One line: file, client, location, field, and problem. */
export function describeDiagnostic(diagnostic: LocatedDiagnostic): string {
  if (!('client' in diagnostic)) return printable(`${diagnostic.file}: ${diagnostic.message}`);
  const { file, client, location, field, message } = diagnostic;
  const place = `(${location})`;
  return printable(
    `${file}: client ${client === place ? place : `${client} ${place}`}: ${formatDiagnostic({ field, message })}`,
  );
}

import { idOfRecord, type RecordType } from '../../resources/record-types.ts';
import { abbreviate, printable } from '../../text.ts';
import { type Diagnostic, formatDiagnostic } from '../diagnostics.ts';
import { type ClientsFileError, type FileRecord, recordLocation } from './parse-records.ts';

/** A problem of a file of records: of one of its records, or of the file or line as a whole. */
export type LocatedDiagnostic = RecordDiagnostic | FileDiagnostic;

/** A problem of a record, with its id; if it has none, with its location in parentheses. */
export type RecordDiagnostic = Diagnostic &
  RecordLocation &
  // The `client_id` of a client, or the name of a resource.
  ({ readonly client: string } | { readonly resource: string });

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
  { type, number, value }: FileRecord,
  { field, message }: Diagnostic,
): RecordDiagnostic {
  const location = recordLocation(file, number);
  const id = abbreviate(idOfRecord(type, value) ?? `(${location})`);
  return { file, ...namedBy[type](id), location, field: abbreviate(field), message: abbreviate(message) };
}

const namedBy = {
  client: (client: string) => ({ client }),
  resource: (resource: string) => ({ resource }),
} satisfies Record<RecordType, (id: string) => object>;

/** One line: file, record, location, field, and problem. */
export function describeDiagnostic(diagnostic: LocatedDiagnostic): string {
  if (!('field' in diagnostic)) return printable(`${diagnostic.file}: ${diagnostic.message}`);
  const { file, location, field, message } = diagnostic;
  const [type, id] = 'client' in diagnostic ? ['client', diagnostic.client] : ['resource', diagnostic.resource];
  const place = `(${location})`;
  return printable(
    `${file}: ${type} ${id === place ? place : `${id} ${place}`}: ${formatDiagnostic({ field, message })}`,
  );
}

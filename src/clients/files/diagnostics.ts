import { idOfRecord, type RecordType } from '../../resources/record-types.ts';
import { abbreviate, printable } from '../../text.ts';
import { type Diagnostic, formatDiagnostic } from '../diagnostics.ts';
import type { Position } from '../position.ts';
import { type ClientsFileError, type FileRecord, recordLocation } from './parse-records.ts';

/** A problem of a file of records: of one of its records, or of the file or line as a whole. */
export type LocatedDiagnostic = RecordDiagnostic | FileDiagnostic;

/** A problem of a record, with its id; if it has none, with its number in parentheses. */
export type RecordDiagnostic = Diagnostic &
  RecordLocation &
  // The `client_id` of a client, or the name of a resource.
  ({ readonly client: string } | { readonly resource: string });

/** Where a record, or a field of it, is. */
export interface RecordLocation extends Position {
  readonly file: string;
  /** `record 3`, or `line 3` of JSON Lines. */
  readonly location: string;
}

/** Why a file, or a line of it, cannot be read or parsed. */
export type FileDiagnostic = Pick<ClientsFileError, 'file' | 'message'> & Partial<Position>;

/** The author of a file chooses the length of what a message quotes, so it is abbreviated. */
export function fileDiagnosticOf({ file, position, message }: ClientsFileError): FileDiagnostic {
  return { file, ...position, message: abbreviate(message) };
}

/** @param position of the field, or of the record */
export function recordDiagnosticOf(
  file: string,
  { type, number, value }: FileRecord,
  position: Position,
  { field, message, ...others }: Diagnostic,
): RecordDiagnostic {
  const location = recordLocation(file, number);
  const id = abbreviate(idOfRecord(type, value) ?? `(${location})`);
  const place = { file, ...position, ...namedBy[type](id), location };
  return { ...place, field: abbreviate(field), message: abbreviate(message), ...others };
}

const namedBy = {
  client: (client: string) => ({ client }),
  resource: (resource: string) => ({ resource }),
} satisfies Record<RecordType, (id: string) => object>;

/** One line, which starts with the position as compilers print it: `clients.yaml:12:5: client "a": scope: is missing`. */
export function describeDiagnostic(diagnostic: LocatedDiagnostic): string {
  const { file, line } = diagnostic;
  const place = line === undefined ? file : `${file}:${line}:${diagnostic.column}`;
  if (!('field' in diagnostic)) return printable(`${place}: ${diagnostic.message}`);
  const [type, id] = 'client' in diagnostic ? ['client', diagnostic.client] : ['resource', diagnostic.resource];
  const name = id === `(${diagnostic.location})` ? id : `"${id}"`;
  return printable(`${place}: ${type} ${name}: ${formatDiagnostic(diagnostic)}`);
}

/** `clients.yaml:12` */
export function describeLocation({ file, line }: RecordLocation): string {
  return `${file}:${line}`;
}

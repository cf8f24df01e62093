import { abbreviate, printable } from '../../text.ts';
import type { Fault } from '../diagnostics.ts';
import { type ClientsFileError, type PlacedRecord, placeOf } from './parse-records.ts';

/** What is to be said about a client of a file. */
export interface ClientFinding extends Fault {
  readonly file: string;
  /** Its `client_id`; without one, its place in parentheses. */
  readonly client: string;
  /** Which record of the file it is: `number 3 in the list`, or `line 3`. */
  readonly place: string;
}

/** Why a file, or a line of it, cannot be read. */
export type FileFault = Pick<ClientsFileError, 'file' | 'message'>;

export type Finding = ClientFinding | FileFault;

/** A fault of a file. Whoever wrote it chose how long the names in it are. */
export function faultOf({ file, message }: ClientsFileError): FileFault {
  return { file, message: abbreviate(message) };
}

/** What is to be said about a record of a file. */
export function findingOf(file: string, { number, value }: PlacedRecord, { field, message }: Fault): ClientFinding {
  const place = placeOf(file, number);
  const client = clientIdOf(value) ?? `(${place})`;
  return { file, client: abbreviate(client), place, field: abbreviate(field), message: abbreviate(message) };
}

/** The `client_id` of what may be a record. */
export function clientIdOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && 'client_id' in value;
  return isObject && typeof value.client_id === 'string' ? value.client_id : undefined;
}

/** One line for a finding: file, client, field, what is wrong. */
export function describeFinding(finding: Finding): string {
  if (!('client' in finding)) return printable(`${finding.file}: ${finding.message}`);
  const { file, client, place, field, message } = finding;
  const where = `(${place})`;
  return printable(`${file}: client ${client === where ? where : `${client} ${where}`}: ${field} ${message}`);
}

import type { Fault } from '../clients/findings.ts';
import { printable } from '../clients/printable.ts';
import type { ClientsFileError } from './clients-file-error.ts';

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

/** One line for a finding: file, client, field, what is wrong. */
export function describeFinding(finding: Finding): string {
  if (!('client' in finding)) return printable(`${finding.file}: ${finding.message}`);
  const { file, client, place, field, message } = finding;
  const where = `(${place})`;
  return printable(`${file}: client ${client === where ? where : `${client} ${where}`}: ${field} ${message}`);
}

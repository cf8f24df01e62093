import { fileErrorReason } from '../errors/file-error.ts';
import { ConfigurationError, OperatorError } from '../errors/operator-error.ts';
import { readBoundedFile } from './bounded-file.ts';
import { encodingProblem } from './text-encoding.ts';

/** The options that state the password of a file. */
export interface PasswordOptions {
  readonly password?: string | undefined;
  /** The file with the password in its only line. */
  readonly passwordFile?: string | undefined;
}

const MAX_BYTES = 4_096;

/**
 * The password of the options; empty if there is none.
 *
 * @throws {OperatorError} if both are given, or the file cannot be read, is empty or is not a password; it never quotes
 *   the content
 */
export function readPassword({ password, passwordFile }: PasswordOptions): string {
  if (passwordFile === undefined) return password ?? '';
  if (password !== undefined)
    throw new ConfigurationError(['--password and --password-file are mutually exclusive: use one of them']);
  const content = readContent(passwordFile);
  const problem = encodingProblem(content) ?? (content.length > MAX_BYTES ? 'is larger than 4 KiB' : undefined);
  if (problem !== undefined) throw new OperatorError([`${passwordFile}: ${problem}`]);
  const line = content.toString().replace(/\r?\n$/, '');
  if (/[\r\n]/.test(line))
    throw new OperatorError([`${passwordFile}: has more than one line, so it is not a password`]);
  // Otherwise, the reader of the protected file would ask for the option.
  if (line === '')
    throw new OperatorError([`${passwordFile}: is empty: write the password into it, or leave out --password-file`]);
  return line;
}

function readContent(file: string): Buffer {
  try {
    return readBoundedFile(file, 1);
  } catch (error) {
    throw new OperatorError([`${file}: ${fileErrorReason(error)}`]);
  }
}

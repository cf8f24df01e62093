import { type Command, Option } from 'commander';
import type { DocumentFormat } from '../output/document.ts';
import type { TableFormat } from '../output/text.ts';

/** The output of the commands that manage records in Redis: human-readable, or machine-readable. */
export type ClientsFormat = 'table' | DocumentFormat;

const DESCRIPTION = 'output format, human-readable or machine-readable';

/** The output of the commands that list what is in Redis. */
export type ListFormat = ClientsFormat | TableFormat;

/** `--output` of the commands that list what is in Redis. */
export function listFormatOption(): Option {
  const description = 'output format; wide has more columns than fit 80 characters';
  return new Option('-o, --output <format>', description).choices(['table', 'wide', 'json', 'yaml']).default('table');
}

/** `--output` of the commands that manage records in Redis. */
export function clientsFormatOption(): Option {
  return new Option('-o, --output <format>', DESCRIPTION).choices(['table', 'json', 'yaml']).default('table');
}

/** `--output` of the commands that report on files and servers. */
export function textFormatOption(): Option {
  return new Option('-o, --output <format>', DESCRIPTION).choices(['text', 'json']).default('text');
}

/** `--password` of the commands that read PKCS #12. Other users of the machine can see the arguments of a process. */
export function passwordOption(): Option {
  return new Option('--password <password>', 'password of the PKCS #12 file; visible in the list of processes');
}

/** `--password-file` of the same commands. */
export function passwordFileOption(): Option {
  return new Option('--password-file <file>', 'file with the password of the PKCS #12 file in one line');
}

/** The end of the help of every command that connects to Redis. */
export const redisHelp = `
Set COUNTERSIGN_REDIS_URL to the URL of the Redis that holds the records.`;

/** Collects the values of an option that may be repeated. */
export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

/** `--file` of the commands that read files of records, beside their operands. */
export function filesOption(): Option {
  const option = new Option('-f, --file <path...>', 'the same, as an option; may be repeated');
  return option.argParser(collect).default([], 'none');
}

/** The files of the operands and of `--file`. Exits if there are none, or a shell variable in place of one is empty. */
export function requireFiles(command: Command, paths: readonly string[]): readonly string[] {
  if (paths.length === 0) command.error('error: expected files with records, such as clients.yaml');
  if (paths.includes('')) command.error('error: the path of a file is empty');
  return paths;
}

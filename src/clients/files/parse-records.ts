import { describeUnrelated } from '../../files/describe-content.ts';
import { ParseError, parseJson } from '../strict-json.ts';
import { parseYaml } from './parse-yaml.ts';

/** A record of a file. */
export interface FileRecord {
  /** Its position in the list, or its line in JSON Lines, counted from 1. */
  readonly number: number;
  readonly value: unknown;
}

/** Whether a file has one record per line, and so can be read with little memory, whatever its length. */
export function isJsonLines(path: string): boolean {
  return /\.(?:jsonl|ndjson)$/i.test(path);
}

/** The location of a record in its file, for messages. */
export function recordLocation(path: string, number: number): string {
  return isJsonLines(path) ? `line ${number}` : `record ${number}`;
}

/** A file, or a line of it, cannot be read or parsed. */
export class ClientsFileError extends Error {
  override readonly name = 'ClientsFileError';
  /** The file as messages call it. */
  readonly file: string;

  /** @param message without the name of the file */
  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

/**
 * Parses a file of records other than JSON Lines: YAML or JSON, a list or `{clients: [list]}`.
 *
 * @throws {ClientsFileError}
 */
export function parseRecords(path: string, text: string): readonly FileRecord[] {
  try {
    return recordsIn(path, text);
  } catch (error) {
    const instead = error instanceof ClientsFileError ? describeUnrelated(Buffer.from(text)) : undefined;
    throw instead === undefined
      ? error
      : new ClientsFileError(path, `${instead}; expected a list of clients in YAML or JSON`);
  }
}

function recordsIn(path: string, text: string): readonly FileRecord[] {
  const document = parseDocument(path, text);
  const records = isObject(document) ? document.clients : document;
  if (!Array.isArray(records))
    throw new ClientsFileError(path, 'expected a list of clients, or "clients:" with a list under it');
  const problem = isObject(document) ? topLevelProblem(document) : undefined;
  if (problem !== undefined) throw new ClientsFileError(path, problem);
  return records.map((value, index) => ({ number: index + 1, value }));
}

/** Editors read the location of the schema from `$schema`. */
function topLevelProblem({ clients, $schema = '', ...others }: Record<string, unknown>): string | undefined {
  const names = Object.keys(others).map((name) => JSON.stringify(name));
  if (names.length > 0) return `unknown field ${names.join(', ')}; only "$schema" may be next to "clients"`;
  return typeof $schema === 'string' ? undefined : '"$schema" must be a string';
}

/**
 * Parses one line of JSON Lines.
 *
 * @returns undefined for an empty line
 * @throws {ClientsFileError}
 */
export function parseLine(path: string, line: string, number: number): FileRecord | undefined {
  if (line.trim() === '') return undefined;
  try {
    return { number, value: parseJson(line) };
  } catch (error) {
    // The line that the error states is always 1.
    throw new ClientsFileError(path, `line ${number}: ${firstLineOf(error)}`);
  }
}

/** All JSON is YAML, but parsing it as YAML takes a hundred times as long. */
function parseDocument(path: string, text: string): unknown {
  const looksLikeJson = /^\s*[[{]/.test(text);
  try {
    if (looksLikeJson) return parseJson(text);
  } catch (error) {
    if (/\.json$/i.test(path)) throw locatedError(path, 'invalid JSON', error);
  }
  try {
    return parseYaml(text);
  } catch (error) {
    throw locatedError(path, 'invalid YAML or JSON', error);
  }
}

function locatedError(path: string, problem: string, error: unknown): ClientsFileError {
  if (error instanceof ParseError) return new ClientsFileError(path, `line ${error.line}: ${error.message}`);
  return new ClientsFileError(path, `${problem}: ${firstLineOf(error)}`);
}

function firstLineOf(error: unknown): string {
  const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return firstLine.replace(/:$/, '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

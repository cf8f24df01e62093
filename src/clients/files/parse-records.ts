import { ParseError, parseJson } from '../strict-json.ts';
import { parseYaml } from './parse-yaml.ts';

/** A record of a file, and which one it is: counted from 1, or in JSON Lines its line. */
export interface FileRecord {
  readonly number: number;
  readonly value: unknown;
}

/** JSON Lines have a record a line, so that a file of any length is read in little memory. */
export function isJsonLines(path: string): boolean {
  return /\.(?:jsonl|ndjson)$/i.test(path);
}

/** In words, which record of a file it is. */
export function recordLocation(path: string, number: number): string {
  return isJsonLines(path) ? `line ${number}` : `number ${number} in the list`;
}

/**
 * Parses the text of a file of records that is not JSON Lines: YAML or JSON, a list or `{clients: [list]}`.
 *
 * @throws {ClientsFileError}
 */
export function parseRecords(path: string, text: string): readonly FileRecord[] {
  const content = parseDocument(path, text);
  const records = isObject(content) ? content.clients : content;
  if (!Array.isArray(records))
    throw new ClientsFileError(path, 'expected a list of clients, or "clients:" with a list under it');
  const error = isObject(content) ? faultBesideClients(content) : undefined;
  if (error !== undefined) throw new ClientsFileError(path, error);
  return records.map((value, index) => ({ number: index + 1, value }));
}

/** Editors look for their schema at `$schema`. */
function faultBesideClients({ clients, $schema = '', ...others }: Record<string, unknown>): string | undefined {
  const names = Object.keys(others).map((name) => JSON.stringify(name));
  if (names.length > 0) return `${names.join(', ')}: not known here; beside "clients" only "$schema" may stand`;
  return typeof $schema === 'string' ? undefined : '"$schema" must be text';
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
    // The line that the error knows is the first of one.
    throw new ClientsFileError(path, `line ${number}: ${messageOf(error)}`);
  }
}

/** JSON is YAML, too, which takes a hundred times as long to parse. */
function parseDocument(path: string, text: string): unknown {
  const looksLikeJson = /^\s*[[{]/.test(text);
  try {
    if (looksLikeJson) return parseJson(text);
  } catch (error) {
    if (/\.json$/i.test(path)) throw explained(path, 'invalid JSON', error);
  }
  try {
    return parseYaml(text);
  } catch (error) {
    throw explained(path, 'invalid YAML or JSON', error);
  }
}

function explained(path: string, instead: string, error: unknown): ClientsFileError {
  if (error instanceof ParseError) return new ClientsFileError(path, `line ${error.line}: ${error.message}`);
  return new ClientsFileError(path, `${instead}: ${messageOf(error)}`);
}

function messageOf(error: unknown): string {
  const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return firstLine.replace(/:$/, '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A file, or a line of it, cannot be read. */
export class ClientsFileError extends Error {
  override readonly name = 'ClientsFileError';
  /** By which messages call it. */
  readonly file: string;

  /** @param message what is wrong, without the name of the file */
  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

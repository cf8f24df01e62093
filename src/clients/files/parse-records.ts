import { closestMatch } from '../../closest-match.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { type RecordType, recordTypeNames, recordTypes, typeOfRecord } from '../../resources/record-types.ts';
import { ParseError, parseJson } from '../strict-json.ts';
import { parseYaml } from './parse-yaml.ts';

/** A record of a file. */
export interface FileRecord {
  readonly type: RecordType;
  /** Its position in the list, or its line in JSON Lines, counted from 1. */
  readonly number: number;
  readonly value: unknown;
}

/** The content of a file that is not JSON Lines. */
export interface FileContent {
  readonly records: readonly FileRecord[];
  /** The types of its lists, besides those of the records: a list may be empty. */
  readonly lists: readonly RecordType[];
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
 * Parses a file of records other than JSON Lines: YAML or JSON, a list or `{clients: [list], resources: [list]}`.
 *
 * @throws {ClientsFileError}
 */
export function parseRecords(path: string, text: string): FileContent {
  try {
    return contentOf(path, text);
  } catch (error) {
    const instead = error instanceof ClientsFileError ? describeUnrelated(Buffer.from(text)) : undefined;
    throw instead === undefined
      ? error
      : new ClientsFileError(path, `${instead}; expected a list of clients or resources in YAML or JSON`);
  }
}

function contentOf(path: string, text: string): FileContent {
  const document = parseDocument(path, text);
  if (Array.isArray(document)) return contentOfList(document);
  const lists = isObject(document) ? recordTypeNames.filter((type) => recordTypes[type].list in document) : [];
  if (!isObject(document)) throw new ClientsFileError(path, NO_LIST);
  if (lists.length === 0) throw new ClientsFileError(path, `${NO_LIST}${suggestedList(Object.keys(document))}`);
  const records = lists.flatMap((type) => recordsOf(path, document, type));
  const problem = topLevelProblem(document);
  if (problem !== undefined) throw new ClientsFileError(path, problem);
  return { records, lists };
}

const NO_LIST = 'expected a list of clients, or "clients:" or "resources:" with a list under it';

/** A plain list contains records of any type. An empty one states that there are no clients. */
function contentOfList(values: readonly unknown[]): FileContent {
  const records = values.map((value, index) => ({ type: typeOfRecord(value), number: index + 1, value }));
  return { records, lists: records.length === 0 ? ['client'] : [] };
}

/** Editors read the location of the schema from `$schema`. */
function topLevelProblem({ $schema = '', ...document }: Record<string, unknown>): string | undefined {
  const unknown = Object.keys(document).filter((name) => !listNames.includes(name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(', ');
    return `unknown field ${names}; expected "clients", "resources" and "$schema" only${suggestedList(unknown)}`;
  }
  return typeof $schema === 'string' ? undefined : '"$schema" must be a string';
}

const listNames: readonly string[] = recordTypeNames.map((type) => recordTypes[type].list);

/** The list that a misspelled name may mean. */
function suggestedList(unknown: readonly string[]): string {
  const [meant] = unknown.flatMap((name) => closestMatch(name, listNames) ?? []);
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`;
}

function recordsOf(path: string, document: Record<string, unknown>, type: RecordType): readonly FileRecord[] {
  const { list } = recordTypes[type];
  const values = document[list];
  if (!Array.isArray(values)) {
    throw new ClientsFileError(
      path,
      `expected a list of ${list} under "${list}:"; if there are none, write ${list}: []`,
    );
  }
  return values.map((value, index) => ({ type, number: index + 1, value }));
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
    const value = parseJson(line);
    return { type: typeOfRecord(value), number, value };
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

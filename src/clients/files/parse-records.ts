import { closestMatch } from '../../closest-match.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { type RecordType, recordTypeNames, recordTypes, typeOfRecord } from '../../resources/record-types.ts';
import { LineIndex, type Position } from '../position.ts';
import { ParseError, parseJson } from '../strict-json.ts';
import { fieldLocator } from './field-position.ts';
import { jsonListSpans, type ListSpans, ROOT_LIST, type Span } from './list-spans.ts';
import { parseYaml } from './parse-yaml.ts';

/** A record of a file. */
export interface FileRecord {
  readonly type: RecordType;
  /** Its place in the list, or its line in JSON Lines, counted from 1. */
  readonly number: number;
  readonly value: unknown;
  /** In the text of the file, or of its line in JSON Lines. */
  readonly span: Span;
  /** In the file. */
  readonly start: Position;
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
  /** Undefined if the problem is that of the whole file. */
  readonly position: Position | undefined;

  /** @param message without the name of the file and the position */
  constructor(file: string, message: string, position?: Position) {
    super(message);
    this.file = file;
    this.position = position;
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
  const { value, spans } = parseDocument(path, text);
  const lines = new LineIndex(text);
  const recordOf = (record: Pick<FileRecord, 'type' | 'value'>, list: string, index: number): FileRecord => {
    const span = spans.get(list)?.[index] ?? WHOLE_TEXT;
    return { ...record, number: index + 1, span, start: lines.positionAt(span.offset) };
  };
  if (Array.isArray(value)) {
    const records = value.map((item, index) => recordOf({ type: typeOfRecord(item), value: item }, ROOT_LIST, index));
    // An empty list states that there are no clients.
    return { records, lists: records.length === 0 ? ['client'] : [] };
  }
  const document = requireLists(path, text, value);
  const lists = recordTypeNames.filter((type) => document[recordTypes[type].list] !== undefined);
  const records = lists.flatMap((type) => {
    const { list } = recordTypes[type];
    return (document[list] ?? []).map((item, index) => recordOf({ type, value: item }, list, index));
  });
  return { records, lists };
}

/** Not reached: each item has a span. */
const WHOLE_TEXT: Span = { offset: 0, end: 0 };

type RecordLists = Readonly<Record<string, readonly unknown[] | undefined>>;

/** @returns the lists of a document that has at least one, and nothing else */
function requireLists(path: string, text: string, document: unknown): RecordLists {
  const reject = (field: string, message: string): never => {
    throw new ClientsFileError(path, message, fieldLocator({ text, start: START })(field));
  };
  if (!isObject(document)) throw new ClientsFileError(path, NO_LIST);
  const names = Object.keys(document);
  const lists = listNames.filter((list) => names.includes(list));
  if (lists.length === 0) throw new ClientsFileError(path, `${NO_LIST}${suggestedList(names)}`);
  for (const list of lists) {
    const problem = `expected a list of ${list} under "${list}:"; if there are none, write ${list}: []`;
    if (!Array.isArray(document[list])) reject(list, problem);
  }
  const { $schema = '', ...others } = document;
  const unknown = Object.keys(others).filter((name) => !listNames.includes(name));
  if (unknown[0] !== undefined) reject(unknown[0], unknownLists(unknown));
  // Editors read the location of the schema from it.
  if (typeof $schema !== 'string') reject('$schema', '"$schema" must be a string');
  // Safe: every field that is left is a list, as checked above.
  return others as RecordLists;
}

const START: Position = { line: 1, column: 1 };

const NO_LIST = 'expected a list of clients, or "clients:" or "resources:" with a list under it';

const listNames: readonly string[] = recordTypeNames.map((type) => recordTypes[type].list);

function unknownLists(unknown: readonly string[]): string {
  const names = unknown.map((name) => JSON.stringify(name)).join(', ');
  return `unknown field ${names}; expected "clients", "resources" and "$schema" only${suggestedList(unknown)}`;
}

/** The list that a misspelled name may mean. */
function suggestedList(unknown: readonly string[]): string {
  const [meant] = unknown.flatMap((name) => closestMatch(name, listNames) ?? []);
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`;
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
    const offset = line.search(/\S/);
    const span = { offset, end: line.length };
    return { type: typeOfRecord(value), number, value, span, start: { line: number, column: offset + 1 } };
  } catch (error) {
    const { column } = error instanceof ParseError ? error.position : START;
    throw new ClientsFileError(path, firstLineOf(error), { line: number, column });
  }
}

/** All JSON is YAML, but parsing it as YAML takes a hundred times as long. */
function parseDocument(path: string, text: string): { readonly value: unknown; readonly spans: ListSpans } {
  const looksLikeJson = /^\s*[[{]/.test(text);
  try {
    if (looksLikeJson) return { value: parseJson(text), spans: jsonListSpans(text) };
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
  if (error instanceof ParseError) return new ClientsFileError(path, error.message, error.position);
  return new ClientsFileError(path, `${problem}: ${firstLineOf(error)}`);
}

function firstLineOf(error: unknown): string {
  const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return firstLine.replace(/:$/, '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { type Drafts, ImportError } from '../../administration/import/draft.ts';
import { CSharpError } from '../../administration/import/identity-server/csharp.ts';
import { isSqlite, isSqliteFile } from '../../administration/import/identity-server/database/sqlite-header.ts';
import { readConfiguration, readIdentityServer } from '../../administration/import/identity-server/identity-server.ts';
import { readKeycloak } from '../../administration/import/keycloak/keycloak.ts';
import { renderRecords } from '../../administration/import/render.ts';
import { summarizeImport } from '../../administration/import/summary.ts';
import { validateDrafts } from '../../administration/import/validate-drafts.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { decodeUtf16 } from '../../files/text-encoding.ts';
import { OperatorError } from '../../operator-error.ts';
import { printable } from '../../text.ts';
import { exitCodes } from '../exit-codes.ts';
import { decodeInput, type InputFile, readInput } from '../input-file.ts';
import { writeTexts } from '../output/document.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

const readers = {
  identityserver: readIdentityServer,
  keycloak: readKeycloak,
} as const satisfies Record<string, (text: string, now: number) => Drafts>;

/** The servers whose clients can be imported. */
export type ImportSource = keyof typeof readers;

/** As for files of records. */
const MAX_MEBIBYTES = 256;

/**
 * `countersign clients import SOURCE FILE`: converts the clients of another server to client records in YAML.
 *
 * @param file JSON; `-` for standard input
 * @returns the exit code: 0 if every client works as before; 3 if one has a difference or is left out
 * @throws {OperatorError} when the file is invalid, or the output cannot be written
 */
export async function importClients(source: ImportSource, file: string, options: OutputFileOptions): Promise<number> {
  const out = resolveOutputFile(options);
  const now = Date.now();
  const { name, ...read } = await readDrafts(source, file, now);
  const drafts = validateDrafts(read.drafts, now);
  const imported: Drafts = { ...read, drafts };
  const title = `From ${basename(name)}, by \`countersign clients import ${source}\`.`;
  const yaml = renderRecords(imported, title);
  await (out === undefined ? writeTexts([yaml]) : writeOutputFile(out, [yaml]));
  for (const line of await summarizeImport(imported, now)) console.error(printable(line));
  const differs = read.notes.length > 0 || drafts.some(({ kind, notes }) => kind === 'skipped' || notes.length > 0);
  return differs ? exitCodes.findings : exitCodes.success;
}

interface NamedDrafts extends Drafts {
  /** The file, as messages name it. */
  readonly name: string;
}

async function readDrafts(source: ImportSource, file: string, now: number): Promise<NamedDrafts> {
  if (source === 'identityserver' && isSqliteFile(file)) return { ...(await readDatabase(file, now)), name: file };
  const input = await readInput(file, MAX_MEBIBYTES);
  return { ...readText(source, input, now), name: input.name };
}

/** `node:sqlite` is loaded for databases alone: up to Node.js 24.14 it prints a warning. */
async function readDatabase(file: string, now: number): Promise<Drafts> {
  const { readSqliteFile } = await import('../../administration/import/identity-server/database/sqlite-file.ts');
  try {
    return readConfiguration(readSqliteFile(file), now);
  } catch (error) {
    throw error instanceof ImportError ? new OperatorError([`${file}: ${error.message}`]) : error;
  }
}

function readText(source: ImportSource, input: InputFile, now: number): Drafts {
  const problem = binaryProblem(source, input);
  if (problem !== undefined) throw new OperatorError([`${input.name}: ${problem}`]);
  // The clients of databases on Windows write UTF-16.
  const text = (source === 'identityserver' ? decodeUtf16(input.content) : undefined) ?? decodeInput(input);
  try {
    return readers[source](text, now);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    // Without the prefix of errors, to be pasted.
    if (error instanceof CSharpError) for (const line of error.lines) console.error(printable(line));
    const instead = describeUnrelated(input.content);
    throw new OperatorError([`${input.name}: ${instead === undefined ? error.message : `${instead}; expected JSON`}`]);
  }
}

/** Why content is a database that cannot be read; undefined for text. */
function binaryProblem(source: ImportSource, { name, content }: InputFile): string | undefined {
  if (isSqlite(content)) {
    const expected = source === 'identityserver' ? 'which is not read from a pipe: name its file' : 'expected JSON';
    return `is a SQLite database, ${expected}`;
  }
  if (isUtf8(content) || !/\.(?:db3?|sqlite3?)$/i.test(name)) return undefined;
  return 'is not a SQLite database: its header is missing. If it is encrypted, export it without a password';
}

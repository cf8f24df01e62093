import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { type Drafts, ImportError } from '../../administration/import/draft.ts';
import { CSharpError } from '../../administration/import/identity-server/csharp.ts';
import { isSqlite, isSqliteFile } from '../../administration/import/identity-server/database/sqlite-header.ts';
import { parseIdentityServer, readConfiguration } from '../../administration/import/identity-server/identity-server.ts';
import type { ConfigurationFile } from '../../administration/import/identity-server/merge-files.ts';
import { readKeycloak } from '../../administration/import/keycloak/keycloak.ts';
import { renderRecords } from '../../administration/import/render.ts';
import { summarizeImport } from '../../administration/import/summary.ts';
import { validateDrafts } from '../../administration/import/validate-drafts.ts';
import type { Json } from '../../clients/json-value.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { decodeUtf16 } from '../../files/text-encoding.ts';
import { printable } from '../../text.ts';
import { exitCodes } from '../exit-codes.ts';
import { decodeInput, type InputFile, readInput } from '../input-file.ts';
import { writeTexts } from '../output/document.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

/** The servers whose clients can be imported. */
export type ImportSource = 'identityserver' | 'keycloak';

/** As for files of records. */
const MAX_MEBIBYTES = 256;

/**
 * `countersign clients import SOURCE FILE…`: converts the clients of another server to client records in YAML.
 *
 * @param files JSON; `-` for standard input. Those of IdentityServer are merged, later ones over earlier ones
 * @returns the exit code: 0 if every client works as before; 3 if one has a difference or is left out
 * @throws {OperatorError} when a file is invalid, or the output cannot be written
 */
export async function importClients(
  source: ImportSource,
  files: readonly string[],
  options: OutputFileOptions,
): Promise<number> {
  const out = resolveOutputFile(options);
  const now = Date.now();
  const { names, ...read } = await readers[source](files, now);
  const drafts = validateDrafts(read.drafts, now);
  const imported: Drafts = { ...read, drafts };
  const title = `From ${names.map((name) => basename(name)).join(', ')}, by \`countersign clients import ${source}\`.`;
  const yaml = renderRecords(imported, title);
  await (out === undefined ? writeTexts([yaml]) : writeOutputFile(out, [yaml]));
  for (const line of await summarizeImport(imported, now)) console.error(printable(line));
  const differs = read.notes.length > 0 || drafts.some(({ kind, notes }) => kind === 'skipped' || notes.length > 0);
  return differs ? exitCodes.findings : exitCodes.success;
}

interface NamedDrafts extends Drafts {
  /** The files, as messages name them. */
  readonly names: readonly string[];
}

const readers: Readonly<Record<ImportSource, (files: readonly string[], now: number) => Promise<NamedDrafts>>> = {
  identityserver: async (paths, now) => {
    const files: ConfigurationFile[] = [];
    for (const path of paths) files.push(await readConfigurationFile(path));
    const names = files.map(({ name }) => name);
    return { ...explained(names.join(', '), () => readConfiguration(files, now)), names };
  },
  keycloak: async ([path = '']) => {
    const input = await readInput(path, MAX_MEBIBYTES);
    return { ...readText('keycloak', input, readKeycloak), names: [input.name] };
  },
};

async function readConfigurationFile(path: string): Promise<ConfigurationFile> {
  if (isSqliteFile(path)) return { name: path, root: await readDatabase(path) };
  const input = await readInput(path, MAX_MEBIBYTES);
  return { name: input.name, root: readText('identityserver', input, parseIdentityServer) };
}

/** `node:sqlite` is loaded for databases alone: up to Node.js 24.14 it prints a warning. */
async function readDatabase(file: string): Promise<Json> {
  const { readSqliteFile } = await import('../../administration/import/identity-server/database/sqlite-file.ts');
  return explained(file, () => readSqliteFile(file));
}

/** Adds what was read to its errors. @param content of one file, which may be no JSON at all */
function explained<Value>(name: string, read: () => Value, content?: Buffer): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    // Without the prefix of errors, to be pasted.
    if (error instanceof CSharpError) for (const line of error.lines) console.error(printable(line));
    const instead = content && describeUnrelated(content);
    throw new OperatorError([`${name}: ${instead === undefined ? error.message : `${instead}; expected JSON`}`]);
  }
}

function readText<Value>(source: ImportSource, input: InputFile, read: (text: string) => Value): Value {
  const problem = binaryProblem(source, input);
  if (problem !== undefined) throw new OperatorError([`${input.name}: ${problem}`]);
  // The clients of databases on Windows write UTF-16.
  const text = (source === 'identityserver' ? decodeUtf16(input.content) : undefined) ?? decodeInput(input);
  return explained(input.name, () => read(text), input.content);
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

import { basename } from 'node:path';
import { type Drafts, ImportError } from '../../administration/import/draft.ts';
import { CSharpError } from '../../administration/import/identity-server/csharp.ts';
import { isSqlite, isSqliteFile } from '../../administration/import/identity-server/database/sqlite-header.ts';
import { readConfiguration, readIdentityServer } from '../../administration/import/identity-server/identity-server.ts';
import { readKeycloak } from '../../administration/import/keycloak/keycloak.ts';
import { renderRecords } from '../../administration/import/render.ts';
import { requiresSha1, validateDrafts } from '../../administration/import/validate-drafts.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { OperatorError } from '../../operator-error.ts';
import { registrationSettings } from '../../settings/registration-policy.ts';
import { type Environment, Settings } from '../../settings/settings.ts';
import { counted, printable } from '../../text.ts';
import { decodeInput, type InputFile, readInput } from '../input-file.ts';
import { writeTexts } from '../output/document.ts';
import { printWarnings } from '../output/errors.ts';
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
 * @param env the settings that the records may require
 * @returns the exit code: 0, or 2 when a client was skipped or has notes
 * @throws {OperatorError} when the file is invalid, or the output cannot be written
 */
export async function importClients(
  source: ImportSource,
  file: string,
  options: OutputFileOptions,
  env: Environment,
): Promise<number> {
  const out = resolveOutputFile(options);
  const now = Date.now();
  const { drafts: all, remarks, name } = await readDrafts(source, file, now);
  const drafts = validateDrafts(all, now);
  const title = `From ${basename(name)}, by \`countersign clients import ${source}\`.`;
  const yaml = renderRecords({ drafts, remarks }, title);
  await (out === undefined ? writeTexts([yaml]) : writeOutputFile(out, [yaml]));
  const skipped = drafts.filter(({ kind }) => kind === 'skipped').length;
  const notes = drafts.reduce((sum, draft) => sum + draft.notes.length, 0);
  const written = drafts.length - skipped;
  console.error(`${counted(written, 'client')} written, ${skipped} skipped, ${counted(notes, 'note')}`);
  warnOfSha1(drafts.filter((draft) => requiresSha1(draft, now)).length, env);
  return skipped + notes === 0 ? 0 : 2;
}

/** Nothing accepts the records without the setting: not the server, and no other command. */
function warnOfSha1(count: number, env: Environment): void {
  if (count === 0 || new Settings(env).read(registrationSettings.ALLOW_SHA1_THUMBPRINTS)) return;
  const subject = count === 1 ? '1 client is' : `${count} clients are`;
  const fix = 'for the server and for the commands that read these records, or register SHA-256 thumbprints';
  printWarnings([
    `${subject} registered by SHA-1 thumbprints: set COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS=true ${fix} (countersign certificate FILE)`,
  ]);
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
  if (isSqlite(input.content))
    throw new OperatorError([`${input.name}: is a SQLite database, which is not read from a pipe: name its file`]);
  const text = decodeInput(input);
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

import { basename } from 'node:path';
import { type Drafts, ImportError } from '../../administration/import/draft.ts';
import { readIdentityServer } from '../../administration/import/identity-server/identity-server.ts';
import { readKeycloak } from '../../administration/import/keycloak/keycloak.ts';
import { render } from '../../administration/import/render.ts';
import { validateDrafts } from '../../administration/import/validate-drafts.ts';
import { OperatorError } from '../../operator-error.ts';
import { type InputFile, readInput } from '../input-file.ts';
import { writeTexts } from '../output/document.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

const readers = {
  identityserver: readIdentityServer,
  keycloak: readKeycloak,
} as const satisfies Record<string, (text: string, now: number) => Drafts>;

/** Whose clients can be read. */
export type ImportSource = keyof typeof readers;

/**
 * `countersign clients import SOURCE FILE`: writes the clients of another server as a file of records. `-` is standard
 * input.
 *
 * @returns the exit code: 0, or 2 where something was left out or noted
 * @throws {OperatorError} when the file cannot be read, or the other one not be written
 */
export async function importClients(source: ImportSource, file: string, options: OutputFileOptions): Promise<number> {
  const out = resolveOutputFile(options);
  const now = Date.now();
  const input = await readInput(file);
  const { drafts: all, remarks } = readOrExplain(source, input, now);
  const drafts = validateDrafts(all, now);
  const title = `From ${basename(input.name)}, by \`countersign clients import ${source}\`.`;
  const yaml = render({ drafts, remarks }, title);
  await (out === undefined ? writeTexts([yaml]) : writeOutputFile(out, [yaml]));
  const leftOut = drafts.filter(({ kind }) => kind === 'left_out').length;
  const notes = drafts.reduce((sum, draft) => sum + draft.notes.length, 0);
  const written = drafts.length - leftOut;
  console.error(`${counted(written, 'client')} written, ${leftOut} left out, ${counted(notes, 'note')}`);
  return leftOut + notes === 0 ? 0 : 2;
}

function readOrExplain(source: ImportSource, { name, content }: InputFile, now: number): Drafts {
  try {
    return readers[source](new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content), now);
  } catch (error) {
    if (error instanceof ImportError) throw new OperatorError([`${name}: ${error.message}`]);
    if (error instanceof TypeError && 'code' in error && error.code === NOT_UTF8) {
      throw new OperatorError([`${name}: it is not text in UTF-8`]);
    }
    throw error;
  }
}

const NOT_UTF8 = 'ERR_ENCODING_INVALID_ENCODED_DATA';

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

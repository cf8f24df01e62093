import { basename } from 'node:path';
import { type Drafts, ImportError } from '../../administration/import/draft.ts';
import { readIdentityServer } from '../../administration/import/identity-server/identity-server.ts';
import { readKeycloak } from '../../administration/import/keycloak/keycloak.ts';
import { renderRecords } from '../../administration/import/render.ts';
import { validateDrafts } from '../../administration/import/validate-drafts.ts';
import { describeUnrelated } from '../../files/describe-content.ts';
import { OperatorError } from '../../operator-error.ts';
import { counted } from '../../text.ts';
import { decodeInput, type InputFile, readInput } from '../input-file.ts';
import { writeTexts } from '../output/document.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

const readers = {
  identityserver: readIdentityServer,
  keycloak: readKeycloak,
} as const satisfies Record<string, (text: string, now: number) => Drafts>;

/** The servers whose clients can be imported. */
export type ImportSource = keyof typeof readers;

/**
 * `countersign clients import SOURCE FILE`: converts the clients of another server to client records in YAML.
 *
 * @param file JSON; `-` for standard input
 * @returns the exit code: 0, or 2 when a client was skipped or has notes
 * @throws {OperatorError} when the file is invalid, or the output cannot be written
 */
export async function importClients(source: ImportSource, file: string, options: OutputFileOptions): Promise<number> {
  const out = resolveOutputFile(options);
  const now = Date.now();
  const input = await readInput(file);
  const { drafts: all, remarks } = readDrafts(source, input, now);
  const drafts = validateDrafts(all, now);
  const title = `From ${basename(input.name)}, by \`countersign clients import ${source}\`.`;
  const yaml = renderRecords({ drafts, remarks }, title);
  await (out === undefined ? writeTexts([yaml]) : writeOutputFile(out, [yaml]));
  const skipped = drafts.filter(({ kind }) => kind === 'skipped').length;
  const notes = drafts.reduce((sum, draft) => sum + draft.notes.length, 0);
  const written = drafts.length - skipped;
  console.error(`${counted(written, 'client')} written, ${skipped} skipped, ${counted(notes, 'note')}`);
  return skipped + notes === 0 ? 0 : 2;
}

function readDrafts(source: ImportSource, input: InputFile, now: number): Drafts {
  const text = decodeInput(input);
  try {
    return readers[source](text, now);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    const instead = describeUnrelated(input.content);
    throw new OperatorError([`${input.name}: ${instead === undefined ? error.message : `${instead}; expected JSON`}`]);
  }
}

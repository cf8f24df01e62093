import { type JsonObject, type ListedRecord, listRecords } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { type DocumentFormat, documentText, jsonText, writeTexts } from '../output/document.ts';
import { openAdministration } from './administer.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

export interface ExportCommandOptions extends OutputFileOptions {
  /** `jsonl` is a record a line, which `apply` reads in little memory. */
  readonly output: DocumentFormat | 'jsonl';
}

/**
 * `countersign clients export`: all records, as a file that `apply` takes back.
 *
 * @returns the exit code: 0, or 1 where Redis holds something in a record's location that no file can hold
 * @throws {StartupError} where Redis fails or the file cannot be written
 */
export function exportClients(env: Environment, { output, ...file }: ExportCommandOptions): Promise<number> {
  const out = resolveOutputFile(file);
  return openAdministration(env, async ({ store, policy, now, progress }) => {
    let left = 0;
    const leave = ({ clientId, errors }: ListedRecord) => {
      left += 1;
      const why = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
      console.error(printable(`countersign: client ${clientId} is left out: ${why}`));
    };
    const show = out === undefined ? progress.showBesideOutput : progress.show;
    const records = exportable(listRecords(store, { policy, now, progress: show }), leave);
    const texts = output === 'jsonl' ? lines(records) : documentText(output, 'clients', records);
    await (out === undefined ? writeTexts(texts) : writeOutputFile(out, texts));
    progress.clear();
    return left === 0 ? 0 : 1;
  });
}

/** A record with a fault is handed out as well: `apply` then says what is wrong with it. */
async function* exportable(
  records: AsyncIterable<ListedRecord>,
  leave: (record: ListedRecord) => void,
): AsyncGenerator<JsonObject> {
  for await (const listed of records) {
    if (listed.record?.client_id === listed.clientId) yield listed.record;
    else leave(listed);
  }
}

async function* lines(records: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const record of records) yield `${jsonText(record)}\n`;
}

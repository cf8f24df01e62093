import { type ListedRecord, listRecords } from '../../administration/stored-records.ts';
import { formatDiagnostic } from '../../clients/diagnostics.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { type DocumentFormat, documentText, jsonText, writeTexts } from '../output/document.ts';
import { openAdministration } from './administration.ts';
import { type OutputFileOptions, resolveOutputFile, writeOutputFile } from './output-file.ts';

export interface ExportCommandOptions extends OutputFileOptions {
  /** `jsonl` is one record per line, which `apply` streams. */
  readonly output: DocumentFormat | 'jsonl';
}

/**
 * `countersign clients export`: writes all records, in a form that `apply` accepts unchanged.
 *
 * @returns the exit code: 0, or 1 when a value in Redis is not a client record and was skipped
 * @throws {OperatorError} when Redis fails, or the file cannot be written
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function exportClients(env: Environment, { output, ...file }: ExportCommandOptions): Promise<number> {
  const out = resolveOutputFile(file);
  await using administration = await openAdministration(env);
  const { store, policy, now, progress, interruption } = administration;
  let skipped = 0;
  const skip = (listed: ListedRecord) => {
    skipped += 1;
    printProblem(listed, 'is skipped');
  };
  const show = out === undefined ? progress.showBesideOutput : progress.show;
  const records = exportable(listRecords(store, { policy, now, progress: show }), skip);
  const texts = output === 'jsonl' ? jsonLines(records) : documentText(output, 'clients', records);
  await interruption.abortable(out === undefined ? writeTexts(texts) : writeOutputFile(out, texts));
  return skipped === 0 ? 0 : 1;
}

/** An invalid record is exported as well, with a warning: a copy of all records must not lose one. */
async function* exportable(
  records: AsyncIterable<ListedRecord>,
  skip: (listed: ListedRecord) => void,
): AsyncGenerator<JsonObject> {
  for await (const listed of records) {
    if (listed.record?.client_id !== listed.clientId) skip(listed);
    else {
      if (listed.errors.length > 0) printProblem(listed, 'is exported, but the server and apply reject it');
      yield listed.record;
    }
  }
}

function printProblem({ clientId, errors }: ListedRecord, problem: string): void {
  const reasons = errors.map(formatDiagnostic).join('; ');
  console.error(printable(`countersign: client ${clientId} ${problem}: ${reasons}`));
}

async function* jsonLines(records: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const record of records) yield `${jsonText(record)}\n`;
}

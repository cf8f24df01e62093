import { listRecords, listResources } from '../../administration/stored-records.ts';
import { type Diagnostic, formatDiagnostic } from '../../clients/diagnostics.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import { clientKey, type RecordKey, recordTypes, resourceKey } from '../../resources/record-types.ts';
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
 * @returns the exit code: 0, or 1 when a value in Redis is not a record and was skipped
 * @throws {OperatorError} when Redis fails, or the file cannot be written
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function exportClients(env: Environment, { output, ...file }: ExportCommandOptions): Promise<number> {
  const out = resolveOutputFile(file);
  await using administration = await openAdministration(env);
  const { store, policy, now, progress, interruption } = administration;
  let skipped = 0;
  const skip = (stored: StoredRecord) => {
    skipped += 1;
    printProblem(stored, 'is skipped');
  };
  const options = { policy, now, progress: out === undefined ? progress.showBesideOutput : progress.show };
  const lists = {
    clients: exportable(listRecords(store, options), ({ clientId }) => clientKey(clientId), skip),
    resources: exportable(listResources(store, options), ({ name }) => resourceKey(name), skip),
  };
  const texts = output === 'jsonl' ? jsonLines(Object.values(lists)) : documentText(output, lists);
  await interruption.abortable(out === undefined ? writeTexts(texts) : writeOutputFile(out, texts));
  return skipped === 0 ? 0 : 1;
}

interface ListedValue {
  readonly record: JsonObject | undefined;
  readonly errors: readonly Diagnostic[];
}

interface StoredRecord extends ListedValue {
  readonly key: RecordKey;
}

/** An invalid record is exported as well, with a warning: a copy of all records must not lose one. */
async function* exportable<Listed extends ListedValue>(
  records: AsyncIterable<Listed>,
  keyOf: (listed: Listed) => RecordKey,
  skip: (stored: StoredRecord) => void,
): AsyncGenerator<JsonObject> {
  for await (const listed of records) {
    const [key, { record, errors }] = [keyOf(listed), listed];
    if (record?.[recordTypes[key.type].idField] !== key.id) skip({ key, record, errors });
    else {
      if (errors.length > 0) printProblem({ key, record, errors }, 'is exported, but the server and apply reject it');
      yield record;
    }
  }
}

function printProblem({ key, errors }: StoredRecord, problem: string): void {
  const reasons = errors.map(formatDiagnostic).join('; ');
  console.error(printable(`countersign: ${key.type} ${key.id} ${problem}: ${reasons}`));
}

async function* jsonLines(lists: readonly AsyncIterable<object>[]): AsyncGenerator<string> {
  for (const records of lists) for await (const record of records) yield `${jsonText(record)}\n`;
}

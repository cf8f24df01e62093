import { listRecords } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { type Row, rowTable } from '../output/text.ts';
import { openAdministration } from './administer.ts';
import type { ClientsFormat } from './plan.ts';
import { type ClientSummary, summarizeClient } from './show.ts';

export interface ListCommandOptions {
  readonly output: ClientsFormat;
  /** Only those that are disabled. */
  readonly disabled: boolean;
  /** Only what the server cannot use; with `disabled`, either. */
  readonly invalid: boolean;
}

/**
 * `countersign clients list [PATTERN]`: the clients in Redis, in the order of their names.
 *
 * @returns the exit code: 0
 * @throws {StartupError} where Redis fails
 */
export function listClients(
  env: Environment,
  pattern: string | undefined,
  options: ListCommandOptions,
): Promise<number> {
  return openAdministration(env, async ({ store, policy, now, progress }) => {
    const reports = selected(
      listRecords(store, { policy, now, pattern, progress: progress.showBesideOutput }),
      options,
    );
    const { output } = options;
    const headings = ['CLIENT_ID', 'STATE', 'METHOD', 'IDENTITY', 'SCOPES'];
    await writeTexts(
      output === 'table' ? rowTable(headings, rowsOf(reports)) : documentText(output, 'clients', reports),
    );
    progress.clear();
    return 0;
  });
}

async function* selected(
  records: ReturnType<typeof listRecords>,
  { disabled, invalid: unusable }: ListCommandOptions,
): AsyncGenerator<ClientSummary> {
  for await (const record of records) {
    const report = summarizeClient(record);
    const isAskedFor = (disabled && report.enabled === false) || (unusable && !report.valid);
    if (isAskedFor || !(disabled || unusable)) yield report;
  }
}

async function* rowsOf(reports: AsyncIterable<ClientSummary>): AsyncGenerator<Row> {
  for await (const report of reports) yield rowOf(report);
}

const MAX_CELL = 60;

function rowOf({
  client_id: id,
  valid: usable,
  enabled,
  method = '',
  identities = [],
  scopes = [],
  errors,
}: ClientSummary): Row {
  if (!usable) return { cells: [id, 'unusable', shortened(errors.join('; '))], style: 'red' };
  const [first = '', ...others] = identities;
  const identity = `${shortened(first)}${others.length > 0 ? ` (+${others.length})` : ''}`;
  const cells = [id, enabled ? 'enabled' : 'disabled', method, identity, shortened(scopes.join(' '))];
  return { cells, style: enabled ? undefined : 'yellow' };
}

function shortened(text: string): string {
  const whole = printable(text);
  return whole.length <= MAX_CELL ? whole : `${whole.slice(0, MAX_CELL - 1).toWellFormed()}…`;
}

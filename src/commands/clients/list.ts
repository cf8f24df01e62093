import { type ListedRecord, listRecords } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { abbreviateCell, type Row, rowTable, type TableFormat } from '../output/text.ts';
import { openAdministration } from './administration.ts';
import { type ClientSummary, summarizeClient } from './client-report.ts';
import type { ListFormat } from './options.ts';

export interface ListCommandOptions {
  readonly output: ListFormat;
  /** Only disabled clients. */
  readonly disabled: boolean;
  /** Only clients whose record is invalid; with `disabled`, either. */
  readonly invalid: boolean;
}

const headings = {
  table: ['CLIENT_ID', 'STATE', 'IDENTITY', 'SCOPES'],
  wide: ['CLIENT_ID', 'STATE', 'METHOD', 'IDENTITY', 'SCOPES'],
};
/** Characters of an identity in a table that fits a terminal. */
const MAX_IDENTITY = 36;

/**
 * `countersign clients list [PATTERN]`: prints the clients in Redis, sorted by `client_id`.
 *
 * @param pattern a glob of Redis for the `client_id`; undefined for all
 * @returns the exit code: 0
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function listClients(
  env: Environment,
  pattern: string | undefined,
  options: ListCommandOptions,
): Promise<number> {
  await using administration = await openAdministration(env);
  const { store, policy, now, progress, interruption } = administration;
  const records = listRecords(store, { policy, now, pattern, progress: progress.showBesideOutput });
  const clients = select(records, options);
  const { output } = options;
  const texts =
    output === 'table' || output === 'wide'
      ? rowTable(output, headings[output], rowsOf(clients, output))
      : documentText(output, { clients });
  await interruption.abortable(writeTexts(texts));
  return 0;
}

async function* select(
  records: AsyncIterable<ListedRecord>,
  { disabled, invalid }: ListCommandOptions,
): AsyncGenerator<ClientSummary> {
  const isUnfiltered = !disabled && !invalid;
  for await (const record of records) {
    const client = summarizeClient(record);
    if (isUnfiltered || (disabled && client.enabled === false) || (invalid && !client.valid)) yield client;
  }
}

async function* rowsOf(clients: AsyncIterable<ClientSummary>, format: TableFormat): AsyncGenerator<Row> {
  for await (const client of clients) yield rowOf(client, format);
}

function rowOf(client: ClientSummary, format: TableFormat): Row {
  const { client_id: id, valid, enabled, method = '', identities = [], scopes = [], errors } = client;
  if (!valid) return { cells: [id, 'invalid', abbreviateCell(errors.join('; '))], style: 'red' };
  const [first = '', ...others] = identities;
  const identity = `${abbreviateCell(first, format === 'wide' ? undefined : MAX_IDENTITY)}${others.length > 0 ? ` (+${others.length})` : ''}`;
  const methods = format === 'wide' ? [method] : [];
  const cells = [id, enabled ? 'enabled' : 'disabled', ...methods, identity, abbreviateCell(scopes.join(' '))];
  return { cells, style: enabled ? undefined : 'yellow' };
}

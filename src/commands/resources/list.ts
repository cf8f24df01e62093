import { type ListedResource, listResources } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ListFormat } from '../clients/options.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { abbreviateCell, type Row, rowTable, type TableFormat } from '../output/text.ts';
import { type ResourceSummary, summarizeResource } from './resource-report.ts';

export interface ListResourcesOptions {
  readonly output: ListFormat;
  /** Only resources whose record is invalid. */
  readonly invalid: boolean;
}

const headings = {
  table: ['NAME', 'BINDING', 'RESOURCE', 'SCOPES'],
  wide: ['NAME', 'BINDING', 'FORWARD', 'RESOURCE', 'SCOPES'],
};
/** Characters of a resource in a table that fits a terminal. */
const MAX_RESOURCE = 36;

/**
 * `countersign resources list [PATTERN]`: prints the resources in Redis, sorted by name.
 *
 * @param pattern a glob of Redis for the name; undefined for all
 * @returns the exit code: 0
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function listResourcesInRedis(
  env: Environment,
  pattern: string | undefined,
  { output, invalid }: ListResourcesOptions,
): Promise<number> {
  await using administration = await openAdministration(env);
  const { store, policy, now, progress, interruption } = administration;
  const records = listResources(store, { policy, now, pattern, progress: progress.showBesideOutput });
  const resources = select(records, invalid);
  const texts =
    output === 'table' || output === 'wide'
      ? rowTable(output, headings[output], rowsOf(resources, output))
      : documentText(output, { resources });
  await interruption.abortable(writeTexts(texts));
  return 0;
}

async function* select(records: AsyncIterable<ListedResource>, invalid: boolean): AsyncGenerator<ResourceSummary> {
  for await (const record of records) if (!invalid || !record.resource) yield summarizeResource(record);
}

async function* rowsOf(resources: AsyncIterable<ResourceSummary>, format: TableFormat): AsyncGenerator<Row> {
  for await (const resource of resources) yield rowOf(resource, format);
}

function rowOf(summary: ResourceSummary, format: TableFormat): Row {
  const { name, valid, resource = '', scopes = [], binding = '', forward = '', errors } = summary;
  if (!valid) return { cells: [name, 'invalid', abbreviateCell(errors.join('; '))], style: 'red' };
  const isWide = format === 'wide';
  const audience = abbreviateCell(resource, isWide ? undefined : MAX_RESOURCE);
  return { cells: [name, binding, ...(isWide ? [forward] : []), audience, abbreviateCell(scopes.join(' '))] };
}

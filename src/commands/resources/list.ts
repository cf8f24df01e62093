import { type ListedResource, listResources } from '../../administration/stored-records.ts';
import type { Environment } from '../../settings/settings.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ClientsFormat } from '../clients/options.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { abbreviateCell, type Row, rowTable } from '../output/text.ts';
import { type ResourceSummary, summarizeResource } from './resource-report.ts';

export interface ListResourcesOptions {
  readonly output: ClientsFormat;
  /** Only resources whose record is invalid. */
  readonly invalid: boolean;
}

const headings = ['NAME', 'BINDING', 'FORWARD', 'RESOURCE', 'SCOPES'];

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
  const texts = output === 'table' ? rowTable(headings, rowsOf(resources)) : documentText(output, { resources });
  await interruption.abortable(writeTexts(texts));
  return 0;
}

async function* select(records: AsyncIterable<ListedResource>, invalid: boolean): AsyncGenerator<ResourceSummary> {
  for await (const record of records) if (!invalid || !record.resource) yield summarizeResource(record);
}

async function* rowsOf(resources: AsyncIterable<ResourceSummary>): AsyncGenerator<Row> {
  for await (const resource of resources) yield rowOf(resource);
}

function rowOf(summary: ResourceSummary): Row {
  const { name, valid, resource = '', scopes = [], binding = '', forward = '', errors } = summary;
  if (!valid) return { cells: [name, 'invalid', abbreviateCell(errors.join('; '))], style: 'red' };
  return { cells: [name, binding, forward, abbreviateCell(resource), abbreviateCell(scopes.join(' '))] };
}

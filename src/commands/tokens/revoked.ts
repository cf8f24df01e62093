import type { ListedRevocation } from '../../administration/revocation-store.ts';
import type { Environment } from '../../settings/settings.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ClientsFormat } from '../clients/options.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { abbreviateCell, type Row, rowTable } from '../output/text.ts';
import { type RevocationReport, reportRevocation } from './revocation-report.ts';

/** A revocation of the list, in JSON and YAML. */
interface ListedReport extends RevocationReport {
  readonly revoked_at: string;
}

/**
 * `countersign tokens revoked`: prints the revocations that are in force, the latest first.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function listRevoked(env: Environment, output: ClientsFormat): Promise<number> {
  await using administration = await openAdministration(env);
  const { revocations, now, interruption } = administration;
  const reports = (await interruption.abortable(revocations.list(now))).map(reportListed);
  const texts =
    output === 'table' ? rowTable(headings, rowsOf(reports)) : documentText(output, { revocations: reports });
  await interruption.abortable(writeTexts(texts));
  return 0;
}

function reportListed(revocation: ListedRevocation): ListedReport {
  return { ...reportRevocation(revocation), revoked_at: new Date(revocation.revokedAt).toISOString() };
}

const headings = ['KIND', 'VALUE', 'ISSUED UNTIL', 'REVOKED', 'EXPIRES'];

async function* rowsOf(reports: readonly ListedReport[]): AsyncGenerator<Row> {
  for (const { kind, value, before = 'any time', revoked_at, expires_at } of reports) {
    yield { cells: [kind, abbreviateCell(value), before, revoked_at, expires_at] };
  }
}

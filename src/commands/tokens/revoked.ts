import type { ListedRevocation } from '../../administration/revocation-store.ts';
import type { Environment } from '../../settings/settings.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ListFormat } from '../clients/options.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { abbreviateCell, type Row, rowTable, type TableFormat } from '../output/text.ts';
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
export async function listRevoked(env: Environment, output: ListFormat): Promise<number> {
  await using administration = await openAdministration(env);
  const { revocations, now, interruption } = administration;
  const reports = (await interruption.abortable(revocations.list(now))).map(reportListed);
  const texts =
    output === 'table' || output === 'wide'
      ? rowTable(output, headings[output], rowsOf(reports, output))
      : documentText(output, { revocations: reports });
  await interruption.abortable(writeTexts(texts));
  return 0;
}

function reportListed(revocation: ListedRevocation): ListedReport {
  return { ...reportRevocation(revocation), revoked_at: new Date(revocation.revokedAt).toISOString() };
}

const headings = {
  table: ['KIND', 'VALUE', 'ISSUED UNTIL'],
  wide: ['KIND', 'VALUE', 'ISSUED UNTIL', 'REVOKED', 'EXPIRES'],
};
/** Characters of a value in a table that fits a terminal. The `jti` of a token has 36. */
const MAX_VALUE = 48;

async function* rowsOf(reports: readonly ListedReport[], format: TableFormat): AsyncGenerator<Row> {
  const isWide = format === 'wide';
  for (const { kind, value, before = 'any time', revoked_at, expires_at } of reports) {
    const times = isWide ? [revoked_at, expires_at] : [];
    yield { cells: [kind, abbreviateCell(value, isWide ? undefined : MAX_VALUE), before, ...times] };
  }
}

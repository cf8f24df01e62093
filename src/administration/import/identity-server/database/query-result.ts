import { createHash } from 'node:crypto';
import type { Json } from '../../../../clients/json-value.ts';
import { ImportError } from '../../draft.ts';
import { parseLenientJson } from '../../lenient-json.ts';

/** The ways to run the query that change nothing in its result. */
export const exportCommands =
  '`psql -At -f QUERY.sql`, `sqlcmd -y 0 -f 65001 -i QUERY.sql`, `mysql --default-character-set=utf8mb4 -N -r < QUERY.sql` ' +
  'or `sqlite3 FILE < QUERY.sql`';

/**
 * The configuration in the output of the query that `--query` prints: exactly what the database wrote, which the checksum
 * before it proves, whatever a client of the database put around it or between its lines.
 *
 * @returns undefined if the text is something else
 * @throws {ImportError} if it is such an output, and was cut off or changed
 */
export function parseQueryResult(text: string): Json | undefined {
  if (!MARKER.test(text)) return undefined;
  for (const restore of restorations) {
    const configuration = verifiedConfiguration(restore(text));
    if (configuration !== undefined) return parseConfiguration(configuration);
  }
  throw new ImportError(
    'the result of the query differs from its checksum: a tool cut it off, wrapped its lines or changed characters. ' +
      `Run the query anew with ${exportCommands}. If you changed the result on purpose, import the value of "IdentityServer" alone`,
  );
}

const MARKER = /countersign_(?:sha256|length)\W/;
/** After the quotation mark that a shell, CSV or JSON may have doubled or escaped, once restored. */
const ENVELOPE = /\{"countersign_(?:sha256":"([0-9a-f]{64})"|length":(\d+)),"IdentityServer":/;

/** Undoes what clients of databases do to a value. The checksum decides which one was right. */
const restorations: readonly ((text: string) => string)[] = [
  // As it is, between headings, borders and row counts.
  (text) => text,
  // Rows of a part each, as of SQL Server; then also padded or trimmed, as its query writes no other white space.
  (text) => text.replaceAll(/\r?\n/g, ''),
  (text) => text.replaceAll(/[ \t\r\n]+/g, ''),
  // Tables whose cells have lines of equal width.
  (text) =>
    text
      .split(/\r?\n/)
      .flatMap((line) => /^[|│] (.*) [|│]$/s.exec(line)?.[1] ?? [])
      .join(''),
  // `mysql` without --raw.
  (text) => text.replaceAll(/\\([\\nt0])/g, (_, character: string) => mysqlEscapes[character] ?? character),
  // CSV, and SQL literals.
  (text) => text.replaceAll('""', '"'),
  (text) => text.replaceAll("''", "'"),
  unwrapJson,
  // HTML and XML.
  (text) => text.replaceAll(/&(quot|lt|gt|amp|apos|#39|nbsp);/g, (_, name: string) => entities[name] ?? ''),
];

const mysqlEscapes: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', t: '\t', '0': '\0' };
const entities: Readonly<Record<string, string>> = {
  quot: '"',
  lt: '<',
  gt: '>',
  amp: '&',
  apos: "'",
  '#39': "'",
  nbsp: ' ',
};

/** The only text in JSON that a client wrote around it: `[{"countersign": "{…}"}]`. */
function unwrapJson(text: string): string {
  const [quoted = ''] = /"(?:[^"\\]|\\.)*countersign_(?:[^"\\]|\\.)*"/s.exec(text) ?? [];
  try {
    return String(JSON.parse(quoted));
  } catch {
    return '';
  }
}

/** The text of the configuration, if it has the checksum that precedes it. */
function verifiedConfiguration(text: string): string | undefined {
  const envelope = ENVELOPE.exec(text);
  if (!envelope) return undefined;
  const configuration = text.slice(envelope.index + envelope[0].length, text.lastIndexOf('}'));
  const [, sha256, length] = envelope;
  const isComplete =
    sha256 === undefined ? Array.from(configuration).length === Number(length) : hasHash(configuration, sha256);
  return isComplete ? configuration : undefined;
}

/** SQL Server hashes UTF-16. */
function hasHash(text: string, sha256: string): boolean {
  return (['utf8', 'utf16le'] as const).some(
    (encoding) => createHash('sha256').update(Buffer.from(text, encoding)).digest('hex') === sha256,
  );
}

/** @throws {ImportError} if the database cut an array off: it states the number of rows of each table */
function parseConfiguration(text: string): Json {
  const { rows, ...lists } = parseLenientJson(text) as Record<string, Json>;
  for (const [table, count] of Object.entries(rows ?? {})) {
    const list = lists[table];
    const length = Array.isArray(list) ? list.length : 0;
    if (length !== Number(count)) {
      throw new ImportError(`the database has ${count} rows in ${table}, and its result ${length}: run the query anew`);
    }
  }
  return lists;
}

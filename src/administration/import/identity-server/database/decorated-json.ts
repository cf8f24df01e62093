import type { Json } from '../../../../clients/json-value.ts';
import { ImportError } from '../../draft.ts';
import { jsonIn, parseLenientJson } from '../../lenient-json.ts';
import { exportCommands } from './query-result.ts';

/**
 * Parses JSON, also as clients of databases print the result of a query of one's own: between a heading and a number of
 * rows, with the continuation marks of `psql`, or in the lines of 2,033 characters in which SQL Server returns it. Such a
 * result has no checksum, so it is read only where exactly one text can be meant.
 *
 * @throws {ImportError} if the text is not JSON, with the way to export it
 */
export function parseDecoratedJson(text: string): Json {
  try {
    return parseLenientJson(text, 'as written');
  } catch (error) {
    if (!(error instanceof ImportError) || !isTabular(text)) throw error;
    const json = undecorated(text)
      .map(jsonIn)
      .find((value) => value !== undefined);
    if (json !== undefined) return json;
    throw new ImportError(
      `is the result of a query, and its JSON cannot be restored (${error.message}). Print the query with ` +
        `\`countersign clients import identityserver --query\`, and run it with ${exportCommands}`,
    );
  }
}

/** Whether there is a line that no JSON has: a number of rows, a rule, a border, a mark of `psql`; or SQL Server's parts. */
function isTabular(text: string): boolean {
  return tabularLine.test(text) || text.search(/\r?\n/) === ROW_LENGTH;
}

const tabularLine =
  /^\s*(?:\(\d+ rows?(?: affected)?\)|[-+─┼ ]*[-─]{3,}[-+─┼ ]*|[+┌].*[+┐]|-\[ RECORD 1 \].*|\*{10,}.*)\r?$|^JSON_F52E2B61|\+\r?$/m;
const ROW_LENGTH = 2_033;

/** The texts that the output may contain; at most one of them is JSON. */
function undecorated(text: string): string[] {
  const start = text.search(/[{[](?=\s*\+?\s*["{[\]}])/);
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  if (start === -1 || end <= start) return [];
  const json = text.slice(start, end);
  // Doubled backslashes may be those of `mysql` without --raw, or those of the JSON.
  if (json.includes('\\\\') && !/(?<!\\)(?:\\\\)*\\(?!\\)/.test(json)) return [];
  const lines = json.split(/\r?\n/);
  return [json, ...continued(lines), ...divided(lines)];
}

/** `psql` marks each line break within a value. JSON has none within its strings. */
function continued(lines: readonly string[]): string[] {
  const isMarked = lines.slice(0, -1).every((line) => /\+$/.test(line));
  return isMarked ? [lines.map((line, index) => (index < lines.length - 1 ? line.slice(0, -1) : line)).join('\n')] : [];
}

/** SQL Server divides its JSON into rows of this length. A client that trims or cuts its lines prints shorter ones. */
function divided(lines: readonly string[]): string[] {
  return lines.slice(0, -1).every(({ length }) => length === ROW_LENGTH) ? [lines.join('')] : [];
}

import { Document, Scalar, visit } from 'yaml';
import { escapeUnits, printable, UNPRINTABLE } from '../../text.ts';
import type { Draft, Drafts, RecordDraft } from './draft.ts';

/**
 * Renders the imported clients as a YAML file of client records. Notes are comments above their client, and skipped
 * clients are comments as well. Removing the `# ` of a commented-out record makes it an item of the list.
 *
 * @param title the first comment: where the records come from
 */
export function renderRecords({ drafts, notes, remarks }: Drafts, title: string): string {
  const isEmpty = drafts.every(({ kind }) => kind === 'skipped');
  const general = notes.map(({ text }) => `note for every client: ${text}`);
  const head = [title, ...general, ...remarks].map((text) => `# ${printable(text)}`);
  return [...head, isEmpty ? 'clients: []' : 'clients:', ...drafts.flatMap(renderDraft), ''].join('\n');
}

function renderDraft(draft: Draft): string[] {
  const { kind, label, record, notes, remarks } = draft;
  const title = kind === 'skipped' ? `SKIPPED: ${label}: ${draft.reason}` : `client ${label}`;
  const comments = [title, ...notes.map(({ text }) => `note: ${text}`), ...remarks.map((remark) => `(${remark})`)];
  const lines = record ? renderItem(record) : [];
  return [
    '',
    ...comments.map((comment) => `  # ${printable(comment)}`),
    ...lines.map((line) => (kind === 'skipped' ? `  # ${line}` : `  ${line}`)),
  ];
}

/** The lines of a list with this one record. No value spans lines, so that every line can be commented out. */
function renderItem(record: RecordDraft): string[] {
  // Also quotes what YAML 1.1 parsers would read as a boolean, a number or a date.
  const document = new Document([record], { compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && scalar.value.search(UNPRINTABLE) !== -1)
        scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(UNPRINTABLE, escapeUnits));
}

import { Document, Scalar, visit } from 'yaml';
import { escapeUnits, printable, UNSEEN } from '../../text.ts';
import type { Draft, Drafts, RecordDraft } from './draft.ts';

/**
 * Writes what became of the clients as a file of records (YAML). Whoever is left out stands there as a comment, and
 * each client has its notes above it. Without the `# ` a record in a comment is one of the list.
 *
 * @param title what the file is made from
 */
export function render({ drafts, remarks }: Drafts, title: string): string {
  const isEmpty = drafts.every(({ kind }) => kind === 'left_out');
  const head = [title, ...remarks].map((text) => `# ${printable(text)}`);
  return [...head, isEmpty ? 'clients: []' : 'clients:', ...drafts.flatMap(linesOf), ''].join('\n');
}

function linesOf(draft: Draft): string[] {
  const { kind, label, record, notes, remarks } = draft;
  const title = kind === 'left_out' ? `LEFT OUT: ${label}: ${draft.why}` : `client ${label}`;
  const comments = [title, ...notes.map((note) => `note: ${note}`), ...remarks.map((remark) => `(${remark})`)];
  const lines = record ? yamlOf(record) : [];
  return [
    '',
    ...comments.map((comment) => `  # ${printable(comment)}`),
    ...lines.map((line) => (kind === 'left_out' ? `  # ${line}` : `  ${line}`)),
  ];
}

/** The lines of a list of one. No value goes over several, so that each can be put into a comment. */
function yamlOf(record: RecordDraft): string[] {
  // What tools of YAML 1.1 would read as a flag, a number or a date, stands in quotes as well.
  const document = new Document([record], { compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && scalar.value.search(UNSEEN) !== -1) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(UNSEEN, escapeUnits));
}

import { identitiesOf } from '../../clients/registered-identities.ts';
import { counted } from '../../text.ts';
import type { Draft, Drafts } from './draft.ts';
import { clientOf } from './validate-drafts.ts';

/**
 * Summarizes an import, one line each: how many clients work as before, each difference once with the clients that have
 * it, why clients are left out, and which certificates several clients have.
 *
 * @param now milliseconds since the epoch
 */
export function summarizeImport({ drafts, notes }: Drafts, now: number): string[] {
  const written = drafts.filter(({ kind }) => kind === 'client');
  const general = [...new Set(notes.map(({ text }) => text))];
  const differing = general.length > 0 ? written : written.filter((draft) => draft.notes.length > 0);
  const skipped = drafts.filter((draft) => draft.kind === 'skipped');
  const same = written.length - differing.length;
  return [
    `${counted(drafts.length, 'client')}: ${same} the same as before, ${differing.length} with a difference, ` +
      `${skipped.length} left out`,
    ...section('Every client', general),
    ...section('With a difference', foldedLines(differing.flatMap(differencesOf))),
    ...section('Left out', foldedLines(skipped.map(({ label, reason }) => ({ label, text: reason })))),
    ...section('Certificates that several clients share, as before', sharedCertificates(written, now)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  - ${line}`)];
}

/** What a line of the summary states about one client. */
interface Statement {
  readonly label: string;
  readonly text: string;
}

function differencesOf({ label, notes }: Draft): Statement[] {
  return [...new Set(notes.map(({ difference }) => difference))].map((text) => ({ label, text }));
}

/** A request names its client, so a certificate may authenticate several. */
function sharedCertificates(written: readonly Draft[], now: number): string[] {
  const statements = written.flatMap((draft) => {
    const client = clientOf(draft, now);
    return client ? identitiesOf(client).map(({ text }) => ({ label: draft.label, text })) : [];
  });
  const counts = Map.groupBy(statements, ({ text }) => text);
  return foldedLines(statements.filter(({ text }) => (counts.get(text)?.length ?? 0) > 1));
}

function foldedLines(statements: readonly Statement[]): string[] {
  const byText = [...Map.groupBy(statements, ({ text }) => text)];
  const mostFirst = byText.toSorted(([, one], [, other]) => other.length - one.length);
  return mostFirst.map(([text, all]) => `${text}: ${foldedNames(all.map(({ label }) => label))}`);
}

const MAX_NAMES = 5;

/** The first names, and how many more there are. */
function foldedNames(names: readonly string[]): string {
  const [first, rest] = [names.slice(0, MAX_NAMES), names.length - MAX_NAMES];
  return rest <= 1 ? names.join(', ') : `${first.join(', ')} and ${rest} more`;
}

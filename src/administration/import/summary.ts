import { policyWithoutSettings } from '../../clients/registration-policy.ts';
import { findSharedAmong } from '../../clients/sharing/find-shared-identities.ts';
import { counted } from '../../text.ts';
import type { Draft, Drafts } from './draft.ts';
import { clientOf } from './validate-drafts.ts';

/**
 * Summarizes an import, one line each: how many clients work as before, each difference once with the clients that have
 * it, why clients are left out, and which certificates several clients have.
 *
 * @param now milliseconds since the epoch
 */
export async function summarizeImport({ drafts, notes }: Drafts, now: number): Promise<string[]> {
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
    ...section('Certificates that several clients share, as before', await sharedCertificates(written, now)),
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

/** As `clients check` and `apply` report them: a request names its client, so a certificate may authenticate several. */
async function sharedCertificates(written: readonly Draft[], now: number): Promise<string[]> {
  const clients = written.flatMap((draft) => clientOf(draft, now) ?? []);
  const statements: Statement[] = [];
  for await (const shared of findSharedAmong(clients, () => undefined, { policy: policyWithoutSettings, now })) {
    for (const { clientId } of shared.clients) statements.push({ label: clientId, text: shared.identity.text });
  }
  return foldedLines(statements);
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

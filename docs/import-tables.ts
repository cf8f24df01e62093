import { differences } from '../src/administration/import/identity-server/differences.ts';
import { type Handling, options } from '../src/administration/import/identity-server/options.ts';

/** The part of docs/move-from-identityserver.md that states what changes, from the tables that the import itself uses. */
export function importTables(): string {
  return [
    '| difference | caused by |',
    '| --- | --- |',
    ...Object.values(differences).map(({ title, causes }) => `| ${cell(title)} | ${causes.map(code).join(', ')} |`),
    '',
    '### What becomes of each property',
    ...Object.entries(options).flatMap(([type, properties]) => ['', ...propertiesOf(type, properties)]),
  ].join('\n');
}

function propertiesOf(type: string, properties: Readonly<Record<string, Handling>>): readonly string[] {
  const entries = Object.entries(properties);
  const rows = entries.flatMap(([name, handling]) => {
    const text = describe(handling);
    return text === undefined ? [] : [`| \`${name}\` | ${cell(text)} |`];
  });
  const reasons = Map.groupBy(
    entries.flatMap(([name, handling]) => (handling.kind === 'irrelevant' ? [{ name, reason: handling.reason }] : [])),
    ({ reason }) => reason,
  );
  const irrelevant = [...reasons].map(
    ([reason, group]) => `- ${reason}: ${group.map(({ name }) => code(name)).join(', ')}`,
  );
  return [
    `| ${type} | here |`,
    '| --- | --- |',
    ...rows,
    '',
    'Without meaning for the tokens of machines:',
    '',
    ...irrelevant,
  ];
}

/** Undefined for a property without meaning. */
function describe(handling: Handling): string | undefined {
  if (handling.kind === 'imported') return handling.as;
  return handling.kind === 'noted' ? `noted: ${differences[handling.difference].title}` : undefined;
}

const cell = (text: string) => text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
const code = (text: string) => `\`${text}\``;

import type { Setting } from './setting.ts';
import { PREFIX } from './settings.ts';
import { allSettings, variablesOf } from './table.ts';

/** The tables of all settings in Markdown, one for each group, for docs/configuration.md. */
export function settingsReference(): string {
  const groups = [...new Set(allSettings.map(({ group }) => group))];
  const tables = groups.map((group) => {
    const rows = allSettings.filter((setting) => setting.group === group).map(referenceRow);
    return [`### ${group}`, '', '| variable | description | default |', '| --- | --- | --- |', ...rows].join('\n');
  });
  return tables.join('\n\n');
}

function referenceRow(setting: Setting): string {
  const variables = variablesOf(setting).map(inCode).join(' or ');
  const { description, details } = setting;
  const text = [...[description, details].filter((part) => part !== undefined), ...constraints(setting)]
    .map((part) => part.replace(/[.]?$/, '.'))
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1));
  return `| ${variables} | ${text.join(' ').replaceAll('|', '\\|')} | ${describeDefault(setting)} |`;
}

function constraints({ requires, onlyWith }: Setting): string[] {
  return [
    ...(requires ? [`Requires ${inCode(requires.anyOf[0])}`] : []),
    ...(onlyWith ? [`Only with ${onlyWith.map(inCode).join(' or ')}`] : []),
  ];
}

function describeDefault({ default: text, defaultDescription = 'none', required }: Setting): string {
  if (required !== undefined) return 'required';
  return text === undefined ? defaultDescription : `\`${text}\``;
}

function inCode(name: string): string {
  return `\`${PREFIX}${name}\``;
}

/** All settings as plain text of 80 columns, the required ones first, for `countersign serve --help`. */
export function settingsHelp(): string {
  const isRequired = ({ required, defaultDescription }: Setting) =>
    required !== undefined || (defaultDescription ?? '').startsWith('required');
  const section = (title: string, settings: readonly Setting[]) => [`${title}:`, ...settings.map(helpEntry), ''];
  return [
    ...section('Required settings', allSettings.filter(isRequired)),
    ...section(
      'Optional settings',
      allSettings.filter((setting) => !isRequired(setting)),
    ),
    'More: docs/configuration.md',
  ].join('\n');
}

/** The variable, as it would be set to its default, and below it the description. */
function helpEntry(setting: Setting): string {
  const [variable] = variablesOf(setting);
  const { description, default: text, defaultDescription, required } = setting;
  const name = `  ${PREFIX}${variable}${text === undefined ? '' : `=${text}`}`;
  const note = required === undefined && defaultDescription !== undefined ? ` (${defaultDescription})` : '';
  return [name, ...wrap(`${description}${note}`.replaceAll('`', ''))].join('\n');
}

const HELP_INDENT = '      ';
const HELP_COLUMNS = 80;

function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && HELP_INDENT.length + line.length + word.length >= HELP_COLUMNS) lines.push(word);
    else lines.push(`${lines.pop() ?? ''}${line === '' ? '' : ' '}${word}`);
  }
  return lines.map((line) => HELP_INDENT + line);
}

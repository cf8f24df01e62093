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
  const sentences = [
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.`,
    ...(details === undefined ? [] : [details]),
    ...constraints(setting),
  ];
  return `| ${variables} | ${sentences.join(' ').replaceAll('|', '\\|')} | ${describeDefault(setting)} |`;
}

function constraints({ requires, onlyWith }: Setting): string[] {
  return [
    ...(requires ? [`Requires ${inCode(requires.anyOf[0])}.`] : []),
    ...(onlyWith ? [`Only with ${onlyWith.map(inCode).join(' or ')}.`] : []),
  ];
}

function describeDefault({ default: text, defaultDescription = 'none', required, requiredUnless }: Setting): string {
  if (required !== undefined) return 'required';
  if (requiredUnless !== undefined) return `required without ${requiredUnless.map(inCode).join(' or ')}`;
  return text === undefined ? defaultDescription : `\`${text}\``;
}

function inCode(name: string): string {
  return `\`${PREFIX}${name}\``;
}

/** All settings as plain text of 80 columns, the required ones first, for `countersign serve --help`. */
export function settingsHelp(): string {
  const isRequired = ({ required, requiredUnless }: Setting) => (required ?? requiredUnless) !== undefined;
  const required = allSettings.filter(isRequired);
  const optional = allSettings.filter((setting) => !isRequired(setting));
  return ['Required settings:', ...required.map(helpEntry), '', 'Optional settings:', ...optional.map(helpEntry)].join(
    '\n',
  );
}

/** The variables, and below them the description. */
function helpEntry(setting: Setting): string {
  const variables = variablesOf(setting).map((name) => PREFIX + name);
  const { description, required, requiredUnless, default: text, defaultDescription } = setting;
  const hasDefault = required === undefined && (text ?? defaultDescription) !== undefined;
  const note = requiredUnless !== undefined || hasDefault ? describeDefault(setting) : undefined;
  const noted = note === undefined ? description : `${description} (${hasDefault ? 'default: ' : ''}${note})`;
  return [`  ${variables.join(' or ')}`, ...wrap(noted.replaceAll('`', ''))].join('\n');
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

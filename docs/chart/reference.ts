import { stringify } from 'yaml';
import { type ChartGroup, type ChartValue, readChartValues } from './values.ts';

/** The table of all values in Markdown, for the README of the chart. */
export function chartReference(): string {
  return ['| value | description | default |', '| --- | --- | --- |', ...rowsOf(readChartValues(), [])].join('\n');
}

function rowsOf({ members }: ChartGroup, path: readonly string[]): readonly string[] {
  return members.flatMap((member) => {
    if (!('members' in member)) return [row(member.path, member.description, inCode(member.default))];
    const own = [...path, member.name];
    const described = member.description === undefined ? [] : [row(own, member.description, '')];
    return [...described, ...rowsOf(member, own)];
  });
}

function row(path: ChartValue['path'] | readonly string[], description: string, value: string): string {
  return `| \`${path.join('.')}\` | ${description.replaceAll('|', '\\|')} | ${value} |`;
}

/** In YAML, on one line. */
function inCode(value: unknown): string {
  if (value === '') return '';
  return `\`${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``;
}

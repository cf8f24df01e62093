import { closestMatch } from '../../closest-match.ts';
import { withDocumentationUrls } from '../../documentation.ts';
import { ConfigurationError } from '../../errors/operator-error.ts';
import type { Reason } from '../../reasons/reason.ts';
import { reasonAreas } from '../../reasons/reasons.ts';
import { printable } from '../../text.ts';
import { printValue } from '../output/document.ts';
import { type OutputFormat, styled } from '../output/text.ts';
import { describeResponse } from './reference.ts';

/** One reason, in JSON. */
interface ListedReason {
  readonly code: string;
  readonly area: string;
  readonly meaning: string;
  readonly cause: string;
  readonly fix: string;
  readonly response: string;
}

/**
 * `countersign rejections [CODE]`: prints what the `code` of an audit event means, its usual cause, and the fix.
 *
 * @param code undefined for the list of all
 * @throws {ConfigurationError} when there is no such code
 */
export function printRejections(code: string | undefined, output: OutputFormat): void {
  const found = code === undefined ? listed : [findReason(code)];
  if (output === 'json') printValue('json', { rejections: found });
  else console.log((code === undefined ? overview(found) : found.flatMap(details)).join('\n'));
}

const listed: readonly ListedReason[] = Object.entries(reasonAreas).flatMap(([area, table]) =>
  Object.entries<Reason>(table).map(([code, reason]) => {
    const { meaning, cause, fix } = reason;
    return { code, area, meaning, cause, fix: withDocumentationUrls(fix), response: describeResponse(reason) };
  }),
);

function findReason(code: string): ListedReason {
  const wanted = code.toLowerCase();
  const found = listed.find((each) => each.code === wanted);
  if (found) return found;
  const codes = listed.map((each) => each.code);
  const suggestion = closestMatch(wanted, codes);
  const hint = suggestion === undefined ? 'run `countersign rejections` for all codes' : `did you mean ${suggestion}?`;
  throw new ConfigurationError([`there is no code ${printable(code)} (${hint})`]);
}

function overview(reasons: readonly ListedReason[]): string[] {
  return Object.entries(Object.groupBy(reasons, ({ area }) => area)).flatMap(([area, inArea = []], index) => [
    ...(index === 0 ? [] : ['']),
    styled('bold', area),
    ...inArea.flatMap(({ code, meaning }) => [`  ${code}`, ...wrap(meaning, '      ')]),
  ]);
}

function details({ code, meaning, cause, fix, response }: ListedReason): string[] {
  const parts = { Cause: cause, Fix: fix, Response: response };
  return [
    styled('bold', code),
    ...wrap(meaning, '  '),
    ...Object.entries(parts).flatMap(([name, text]) => ['', styled('bold', name), ...wrap(text, '  ')]),
  ];
}

const COLUMNS = 80;

function wrap(text: string, indentation: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${indentation}${word}`);
  }
  return lines;
}

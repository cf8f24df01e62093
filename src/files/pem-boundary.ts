import { FileContentError } from './file-content-error.ts';
import { countLineBreaks } from './lines.ts';
import { isKnownLabel } from './pem-kind.ts';

/** A line of at least two characters before BEGIN or END that are not letters, and a label after it. */
const SIMILAR_LINE = /^([^\p{L}\p{N}\r\n]{2,32})(BEGIN|END)([^\p{L}\p{N}\r\n]{1,4})([^\r\n]{3,64})$/gimu;

/**
 * Rejects a line that its author meant as a BEGIN or END line, but which PEM parsers ignore: the part of the file that it
 * delimits would not be read.
 *
 * @throws {FileContentError} with the line and what is wrong with it
 */
export function requireNoDamagedBoundary(text: string): void {
  for (const match of text.matchAll(SIMILAR_LINE)) {
    const [, before = '', word = '', space = '', rest = ''] = match;
    const [, name = '', after = ''] = /^([\p{L}\p{N}. #\u00a0]+)(.*?)\s*$/u.exec(rest) ?? [];
    const label = name.replaceAll('\u00a0', ' ').trim().toUpperCase();
    const problem = isKnownLabel(label) ? damageOf({ before: before.trim(), word, space, name, after }) : undefined;
    if (problem === undefined) continue;
    const number = 1 + countLineBreaks(text.slice(0, match.index));
    throw new FileContentError(`line ${number}: ${problem}; expected -----${word.toUpperCase()} ${label}-----`);
  }
}

interface SimilarLine {
  /** Its dashes before and after. */
  readonly before: string;
  readonly after: string;
  /** BEGIN or END, and what follows it. */
  readonly word: string;
  readonly space: string;
  readonly name: string;
}

/** What makes the line something else than a BEGIN or END line; undefined if it is one, or part of a comment. */
function damageOf({ before, after, word, space, name }: SimilarLine): string | undefined {
  if (!/^(?:[\p{Pd}\u2212]{2,}|[^-\w])$/u.test(before)) return undefined;
  if (/[\p{Pd}\u2212]/u.test((before + after).replaceAll('-', ''))) {
    return 'a typographic dash, which a word processor or web page has put in place of hyphens';
  }
  if ((space + name).includes('\u00a0')) return 'a no-break space in place of a space';
  if (before.length !== 5) return `${before.length} hyphens before ${word} instead of 5`;
  if (/^-*$/.test(after) && after.length !== 5) return `${after.length} hyphens at the end instead of 5`;
  if (word !== word.toUpperCase() || name !== name.toUpperCase()) return 'lower-case letters';
  return space === ' ' && name === name.trim() ? undefined : 'a space too many';
}

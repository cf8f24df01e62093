/**
 * Explains an error of JSON.parse to the author of the text.
 *
 * @param offset where the parser stopped
 * @param problem the parser's words, without the location
 */
export function explainJsonProblem(text: string, offset: number, problem: string): string {
  const rest = text.slice(offset, offset + MAX_WORD);
  if (problem.startsWith('Unterminated string')) return 'a string is not closed';
  if (text.slice(offset).trim() === '') return 'the text ends too early: it is cut off, or a bracket is not closed';
  const inString = stringProblem(problem, rest);
  if (inString !== undefined) return inString;
  if (problem.startsWith('Unexpected number')) return 'a number must not start with 0';
  if (problem.startsWith('Unterminated fractional')) return 'a number must not end in its decimal point';
  const isWithinWord = /[A-Za-z]/.test(text.charAt(offset - 1));
  return (isWithinWord ? undefined : characterProblem(text, offset, rest)) ?? wordProblem(text, offset, problem);
}

const MAX_WORD = 64;

function stringProblem(problem: string, rest: string): string | undefined {
  if (problem.startsWith('Bad escaped character')) return 'an invalid escape in a string; write \\\\ for a backslash';
  if (problem.startsWith('Bad Unicode escape')) return '\\u in a string must be followed by four hexadecimal digits';
  if (!problem.startsWith('Bad control character')) return undefined;
  if (/^[\r\n]/.test(rest)) return 'a line break in a string; write it as \\n, or close the string';
  return rest.startsWith('\t')
    ? 'a tab in a string; write it as \\t'
    : `${codePoint(rest)} in a string must be escaped`;
}

/** Characters that never start what JSON allows where the parser stopped. */
function characterProblem(text: string, offset: number, rest: string): string | undefined {
  if (/^[\]}]/.test(rest) && /,\s*$/.test(text.slice(0, offset))) return `a comma before ${rest[0]}`;
  if (rest.startsWith(',')) return 'a comma without a value before it';
  if (/^(?:\/[/*]|#)/.test(rest)) return 'a comment, which JSON does not allow';
  if (/^['`]/.test(rest)) return `${rest[0]} in place of a double quotation mark`;
  if (/^[\u2018-\u201f\u00ab\u00bb]/.test(rest)) return 'a typographic quotation mark in place of "';
  if (/^[.+]/.test(rest)) return `a number must not start with ${rest[0]}`;
  return /^[\p{Z}\p{C}]/u.test(rest) ? `unexpected ${codePoint(rest)}` : undefined;
}

/** What a word that is not a JSON value probably is: those of other languages are known by their names. */
function wordProblem(text: string, offset: number, problem: string): string {
  if (/^Expected (?:double-quoted )?property name/.test(problem)) return 'a name must be in double quotes';
  if (problem.startsWith('Unexpected non-whitespace')) return 'text after the end of the value';
  // "undefined" is the one word for which V8 has a message of its own.
  if (!/^Unexpected token|is not valid JSON$/.test(problem)) return problem.charAt(0).toLowerCase() + problem.slice(1);
  const [before = ''] = /[A-Za-z]*$/.exec(text.slice(Math.max(0, offset - MAX_WORD), offset)) ?? [];
  const [after = ''] = /^[A-Za-z]*/.exec(text.slice(offset, offset + MAX_WORD)) ?? [];
  const word = before + after;
  if (OTHER_LITERALS.test(word)) return `${word} is not a JSON value; true, false and null are`;
  if (text.slice(0, offset).trim() === '') return 'the text does not start with a JSON value';
  if (word !== '') return 'a word without quotation marks';
  return `unexpected ${codePoint(text.slice(offset))}`;
}

const OTHER_LITERALS = /^(?:true|false|null|none|nil|nan|infinity|undefined|yes|no|on|off)$/i;

/** Other characters are quoted as they are; invisible ones by their number. */
function codePoint(text: string): string {
  const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
  if (/^[\x21-\x7e]$/.test(character)) return `"${character}"`;
  return `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
}

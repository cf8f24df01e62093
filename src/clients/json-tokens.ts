import { createScanner } from 'jsonc-parser';

/** A string, a number, a literal, one of `[]{},:`, a comment, or text that is none of these. */
export interface JsonToken {
  readonly text: string;
  /** Index of its first character. */
  readonly offset: number;
}

/**
 * Splits a text into tokens, without white space. It takes linear time, does not recurse, and accepts invalid JSON, so
 * that callers can locate the error.
 */
export function* jsonTokens(text: string): Generator<JsonToken> {
  const scanner = createScanner(text);
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return;
    if (!WHITE_SPACE.includes(text.charAt(offset))) yield { text: text.slice(offset, scanner.getPosition()), offset };
  }
}

/** RFC 8259 §2 */
const WHITE_SPACE = ' \t\r\n';

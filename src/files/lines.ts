const LINE_BREAK = /\r\n|\r|\n/g;

/** How many lines end in a text, with LF, CRLF or CR. */
export function countLineBreaks(text: string): number {
  return text.match(LINE_BREAK)?.length ?? 0;
}

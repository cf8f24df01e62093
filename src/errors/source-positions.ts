import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/**
 * Replaces the positions in a stack trace that are in the build by those in the source. `--enable-source-maps` does so as
 * well, but reads the maps of all files when they are loaded, which takes 6 MB.
 */
export function withSourcePositions(stack: string): string {
  return stack.replaceAll(
    /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g,
    (position, file: string, line: string, column: string) =>
      sourcePosition(file, Number(line), Number(column)) ?? position,
  );
}

/** Undefined without a map, or if it does not cover the position. */
function sourcePosition(file: string, line: number, column: number): string | undefined {
  try {
    const map = new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')));
    const origin = map.findOrigin(line, column);
    if (!('fileName' in origin)) return undefined;
    return `${new URL(origin.fileName, file)}:${origin.lineNumber}:${origin.columnNumber}`;
  } catch {
    return undefined;
  }
}

import { isUtf8 } from 'node:buffer';

/** An encoding that no file may have. */
type WideEncoding = 'UTF-16LE' | 'UTF-16BE' | 'UTF-32LE' | 'UTF-32BE';

/** By byte order mark. That of UTF-16LE is the start of that of UTF-32LE. */
const marks: readonly (readonly [hex: string, encoding: WideEncoding])[] = [
  ['fffe0000', 'UTF-32LE'],
  ['0000feff', 'UTF-32BE'],
  ['fffe', 'UTF-16LE'],
  ['feff', 'UTF-16BE'],
];

/**
 * Without a byte order mark, by where zero bytes are: `0` is a zero byte, `a` one of ASCII text, and `x` any other.
 * Text of any language starts with ASCII in the files that operators write: a key, a comment, a BEGIN line.
 */
const zeroBytes: readonly (readonly [RegExp, WideEncoding])[] = [
  [/^(?:a000)+$/, 'UTF-32LE'],
  [/^(?:000a)+$/, 'UTF-32BE'],
  [/^a0a0(?:[ax][0ax])*$/, 'UTF-16LE'],
  [/^0a0a(?:[0ax][ax])*$/, 'UTF-16BE'],
];

const SAMPLE_BYTES = 256;

/** How messages call UTF-16 or UTF-32, and how to fix it; undefined for all other content. */
export function wideEncodingProblem(content: Uint8Array): string | undefined {
  const encoding = wideEncodingOf(content);
  if (encoding === undefined) return undefined;
  const powerShell = encoding === 'UTF-16LE' ? ' (written by > in Windows PowerShell?)' : '';
  const fix = `iconv -f ${encoding} -t UTF-8, or Set-Content -Encoding ascii in PowerShell`;
  return `is ${encoding} text${powerShell}: save it as UTF-8 (${fix})`;
}

/** The text of UTF-16 with a byte order mark, which programs of Windows write; undefined for all other content. */
export function decodeUtf16(content: Uint8Array): string | undefined {
  const hex = Buffer.from(content.subarray(0, 4)).toString('hex');
  const [, encoding] = marks.find(([mark]) => hex.startsWith(mark)) ?? [];
  if (encoding !== 'UTF-16LE' && encoding !== 'UTF-16BE') return undefined;
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function wideEncodingOf(content: Uint8Array): WideEncoding | undefined {
  const sample = Buffer.from(content.subarray(0, Math.min(SAMPLE_BYTES, content.length - (content.length % 4))));
  const hex = Buffer.from(content.subarray(0, 4)).toString('hex');
  const marked = marks.find(([mark]) => hex.startsWith(mark));
  if (marked) return marked[1];
  const zeros = Array.from(sample, (byte) => (byte === 0 ? '0' : isAsciiText(byte) ? 'a' : 'x')).join('');
  return zeroBytes.find(([pattern]) => pattern.test(zeros))?.[1];
}

function isAsciiText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Why content is not UTF-8, with the line and the fix; undefined if it is. UTF-16 of ASCII is also valid UTF-8. */
export function encodingProblem(content: Uint8Array): string | undefined {
  const wide = wideEncodingProblem(content);
  if (wide !== undefined || isUtf8(content)) return wide;
  return notUtf8(firstInvalidLine(content));
}

/** @param line counted from 1 */
export function notUtf8(line: number): string {
  return `line ${line}: not valid UTF-8; if it is Windows-1252 or Latin-1, convert it (iconv -f WINDOWS-1252 -t UTF-8)`;
}

/** No character of UTF-8 but the line feed contains its byte, so that each line is valid by itself. */
export function firstInvalidLine(content: Uint8Array): number {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  let start = 0;
  for (let line = 1; ; line += 1) {
    const end = bytes.indexOf('\n', start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

import { isUtf8 } from 'node:buffer';
import { decodeBase64 } from './base64.ts';
import type { ContentKind } from './content-kind.ts';
import { FileContentError } from './file-content-error.ts';
import { countLineBreaks } from './lines.ts';
import { requireNoDamagedBoundary } from './pem-boundary.ts';
import { kindOfLabel } from './pem-kind.ts';
import { wideEncodingProblem } from './text-encoding.ts';

/** A block of RFC 7468 §2, from its BEGIN to its END line. */
export interface PemBlock {
  readonly label: string;
  /** Between the two lines. */
  readonly body: string;
  /** Of the BEGIN line, counted from 1. */
  readonly line: number;
}

/** The PEM blocks of a file, and what else it contains. */
export interface PemFile {
  readonly blocks: readonly PemBlock[];
  /** Parts other than blocks that are not read, for warnings. Explanatory text (RFC 7468 §2) is not among them. */
  readonly unread: readonly string[];
}

/**
 * Splits a file into its PEM blocks. Text around the blocks, any line length and line ending, and white space around the
 * BEGIN and END lines are allowed (RFC 7468 §2 and the `lax` grammar of §3). A BEGIN line within a line, as in a
 * comment, starts no block.
 *
 * @throws {FileContentError} when the text is UTF-16 or UTF-32, or a BEGIN or END line is damaged or lacks its other
 */
export function parsePemFile(content: Uint8Array): PemFile {
  const text = decodePemText(content);
  requireNoDamagedBoundary(text);
  const blocks: PemBlock[] = [];
  const unread: string[] = [];
  let open: Boundary | undefined;
  let end = 0;
  for (const boundary of boundariesOf(text)) {
    if (open) {
      blocks.push(closeBlock(text, open, boundary));
      open = undefined;
    } else if (boundary.startsLine) {
      if (boundary.kind === 'END') throw problemWith(boundary, `without a BEGIN line before it`);
      unread.push(...bareBase64(text, end, boundary.start));
      open = boundary;
    } else if (boundary.kind === 'BEGIN') unread.push(describeBoundaryWithinLine(boundary));
    end = boundary.end;
  }
  if (open) throw problemWith(open, 'without an END line after it: the file is cut off or damaged');
  if (blocks.length > 0) unread.push(...bareBase64(text, end, text.length));
  return { blocks, unread };
}

/** Decodes a block. */
export function decodePemBlock({ label, body, line }: PemBlock): Uint8Array {
  try {
    return decodeBase64(body, line);
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    throw new FileContentError(`the text after -----BEGIN ${label}----- is not base64: ${error.message}`);
  }
}

/** Describes a block that is not read, for a warning. */
export function describeUnreadBlock({ label, line }: PemBlock): string {
  const { name, fix }: ContentKind = kindOfLabel(label);
  if (label.endsWith('PRIVATE KEY'))
    return `line ${line}: contains ${name}, which is not read: keep it in a file of its own`;
  return `line ${line}: contains ${name}, which is not read${fix === undefined ? '' : `: ${fix}`}`;
}

/** The text of a file that contains PEM. PEM is ASCII, but the text around it may be in any language and encoding. */
function decodePemText(content: Uint8Array): string {
  const problem = wideEncodingProblem(content);
  if (problem !== undefined) throw new FileContentError(problem);
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return bytes.toString(isUtf8(content) ? 'utf8' : 'latin1');
}

/** A BEGIN or END line. */
interface Boundary {
  readonly kind: 'BEGIN' | 'END';
  readonly label: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  /** Whether only white space, or the END of another block, is before it on its line. */
  readonly startsLine: boolean;
}

function* boundariesOf(text: string): Generator<Boundary> {
  let end = 0;
  let line = 1;
  for (const match of text.matchAll(/-----(BEGIN|END) ([\x20-\x7e]{1,64}?)-----/g)) {
    const [whole, kind, label = ''] = match;
    const start = match.index;
    const between = text.slice(end, start);
    line += countLineBreaks(between);
    end = start + whole.length;
    const startsLine = /(?:^|[\r\n])\s*$/.test(between.slice(-MAX_INDENT));
    yield { kind: kind === 'BEGIN' ? 'BEGIN' : 'END', label, start, end, line, startsLine };
  }
}

const MAX_INDENT = 256;

function closeBlock(text: string, open: Boundary, close: Boundary): PemBlock {
  if (close.kind === 'BEGIN')
    throw problemWith(open, `without an END line before the next block in line ${close.line}`);
  const { label, line } = open;
  if (close.label !== label) throw problemWith(open, `is followed by -----END ${close.label}-----, another label`);
  return { label, line, body: text.slice(open.end, close.start) };
}

const BARE_BASE64 = /^[ \t]*MI[A-Za-z0-9+/]{46,}[ \t]*$/m;

/** DER in base64 that has lost its BEGIN and END lines, between two offsets. */
function bareBase64(text: string, start: number, end: number): string[] {
  const found = BARE_BASE64.exec(text.slice(start, end));
  if (!found) return [];
  const line = 1 + countLineBreaks(text.slice(0, start + found.index));
  return [`line ${line}: base64 without BEGIN and END lines, which is not read`];
}

function describeBoundaryWithinLine({ label, line }: Boundary): string {
  return `line ${line}: text before -----BEGIN ${label}----- on its line, as in a comment; the block is not read`;
}

function problemWith({ kind, label, line }: Boundary, problem: string): FileContentError {
  return new FileContentError(`line ${line}: -----${kind} ${label}----- ${problem}`);
}

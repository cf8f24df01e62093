import { describeUnrelated } from './describe-content.ts';
import { FileContentError } from './file-content-error.ts';
import { firstInvalidLine, notUtf8, wideEncodingProblem } from './text-encoding.ts';

/** Decodes a text in UTF-8 chunk by chunk, without its byte order mark. */
export class Utf8Decoder {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #lineFeeds = 0;
  #isFirst = true;

  /** @throws {FileContentError} with the encoding of the text or what it is instead, or the first line that is not UTF-8 */
  decode(chunk: Buffer): string {
    const problem = this.#isFirst ? wideEncodingProblem(chunk) : undefined;
    if (problem !== undefined) throw new FileContentError(problem);
    try {
      const text = this.#decoder.decode(chunk, { stream: true });
      this.#lineFeeds += countLineFeeds(chunk);
      this.#isFirst = false;
      return text;
    } catch {
      throw new FileContentError(this.#describe(chunk));
    }
  }

  /** @throws {FileContentError} when the text ends within a character */
  end(): string {
    try {
      return this.#decoder.decode();
    } catch {
      throw new FileContentError(notUtf8(this.#lineFeeds + 1));
    }
  }

  #describe(chunk: Buffer): string {
    const instead = this.#isFirst ? describeUnrelated(chunk) : undefined;
    if (instead !== undefined) return instead;
    // The rest of a character that the previous chunk began.
    const start = this.#isFirst ? 0 : chunk.findIndex((byte) => byte < 0x80 || byte > 0xbf);
    return notUtf8(this.#lineFeeds + firstInvalidLine(chunk.subarray(Math.max(start, 0))));
  }
}

function countLineFeeds(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

/**
 * The end of the RESP value that starts at `start` (RESP2 and RESP3); undefined while it is incomplete.
 *
 * @throws {Error} if it is not a RESP value
 */
function endOfValue(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd < 0) return undefined;
  const type = bytes.toString('latin1', start, start + 1);
  const length = Number(bytes.toString('latin1', start + 1, lineEnd));
  const next = lineEnd + 2;
  if ('+-:_,#('.includes(type)) return next;
  if ('$=!'.includes(type)) return length < 0 ? next : within(bytes, next + length + 2);
  if ('*~>'.includes(type)) return endOfValues(bytes, next, length);
  if (type === '%') return endOfValues(bytes, next, 2 * length);
  throw new Error(`not RESP: ${JSON.stringify(bytes.toString('latin1', start, start + 40))}`);
}

function endOfValues(bytes: Buffer, start: number, count: number): number | undefined {
  let end: number | undefined = start;
  for (let index = 0; index < count && end !== undefined; index++) end = endOfValue(bytes, end);
  return end;
}

function within(bytes: Buffer, end: number): number | undefined {
  return end <= bytes.length ? end : undefined;
}

/** Splits a stream of RESP values, whose chunks may end anywhere. */
export function respSplitter(onValue: (value: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let end = endOfValue(pending, 0); end !== undefined; end = endOfValue(pending, 0)) {
      const value = pending.subarray(0, end);
      pending = pending.subarray(end);
      onValue(value);
      if (pending.length === 0) return;
    }
  };
}

/** The words of a command, an array of bulk strings, in Latin-1. */
export function commandWords(value: Buffer): string[] {
  const words: string[] = [];
  for (let start = value.indexOf('\r\n') + 2; start < value.length; ) {
    const lineEnd = value.indexOf('\r\n', start);
    const length = Number(value.toString('latin1', start + 1, lineEnd));
    words.push(value.toString('latin1', lineEnd + 2, lineEnd + 2 + length));
    start = lineEnd + 2 + length + 2;
  }
  return words;
}

/** Whether a server sent this by itself: a push of RESP3, or a message to a subscriber of RESP2. */
export function isUnsolicited(value: Buffer): boolean {
  return value[0] === '>'.charCodeAt(0) || /^\*\d+\r\n\$\d+\r\n[ps]?message\r\n/.test(value.toString('latin1', 0, 40));
}

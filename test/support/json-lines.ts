/** A JSON line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface JsonLines {
  /** The complete lines so far. */
  readonly lines: readonly LogLine[];
  readonly add: (text: string) => void;
}

/** Splits a stream of text into lines and parses each as JSON. A line that is not a JSON object becomes `{text}`. */
export function jsonLines(): JsonLines {
  const lines: LogLine[] = [];
  let unfinished = '';
  const add = (text: string) => {
    const parts = (unfinished + text).split('\n');
    unfinished = parts.pop() ?? '';
    lines.push(...parts.filter((part) => part !== '').map(parseLine));
  };
  return { lines, add };
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : { text };
  } catch {
    return { text };
  }
}

/** One JSON line of the product's stdout. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface JsonLines {
  /** Grows with each line that is complete. */
  readonly lines: readonly LogLine[];
  readonly add: (text: string) => void;
}

/** Cuts a stream of text into lines and reads each as JSON; one that is no JSON object becomes `{text}`. */
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

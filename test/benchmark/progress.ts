const ERASE_LINE = '\r\u001b[K';

/** One line that is overwritten, on standard error if that is a terminal. */
export interface Progress {
  readonly show: (text: string) => void;
  readonly clear: () => void;
}

export function createProgress(): Progress {
  const { stderr } = process;
  const start = performance.now();
  if (!stderr.isTTY) return { show: () => {}, clear: () => {} };
  const show = (text: string) => {
    const seconds = Math.round((performance.now() - start) / 1000);
    stderr.write(`${ERASE_LINE}${`[${seconds} s] ${text}`.slice(0, stderr.columns - 1)}`);
  };
  return { show, clear: () => void stderr.write(ERASE_LINE) };
}

const ERASE_LINE = '\r\u001b[K';

/** One line that is overwritten, on standard error if that is a terminal. */
export interface Progress {
  readonly show: (text: string) => void;
  readonly warn: (problem: string) => void;
  readonly clear: () => void;
}

export function createProgress(): Progress {
  const { stderr } = process;
  const start = performance.now();
  const clear = () => {
    if (stderr.isTTY) stderr.write(ERASE_LINE);
  };
  const show = (text: string) => {
    if (!stderr.isTTY) return;
    const seconds = Math.round((performance.now() - start) / 1000);
    stderr.write(`${ERASE_LINE}${`[${seconds} s] ${text}`.slice(0, (stderr.columns || 80) - 1)}`);
  };
  const warn = (problem: string) => {
    clear();
    stderr.write(`warning: ${problem}\n`);
  };
  return { show, warn, clear };
}

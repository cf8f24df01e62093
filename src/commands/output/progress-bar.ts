import type { Progress } from '../../administration/record-store.ts';
import type { Environment } from '../../settings/settings.ts';

const ON_A_TERMINAL_MILLISECONDS = 100;
const ELSEWHERE_MILLISECONDS = 10_000;
const WIDTH = 24;
const USUAL_COLUMNS = 80;

/** Shows how far long work is, on standard error: a bar on a terminal, and elsewhere a line every ten seconds. */
export interface ProgressBar {
  readonly show: Progress;
  /** The same beside what goes to standard output: nothing where that is a terminal, whose lines the bar would be in. */
  readonly showBesideOutput: Progress;
  /** Takes the bar off the terminal. */
  readonly clear: () => void;
}

export function createProgressBar(env: Environment): ProgressBar {
  // A dumb terminal cannot write over a line.
  const isBar = process.stderr.isTTY && env.TERM !== 'dumb';
  const interval = isBar ? ON_A_TERMINAL_MILLISECONDS : ELSEWHERE_MILLISECONDS;
  let current = { done: '', began: performance.now() };
  // Work that is done at once needs no line.
  let next = performance.now() + interval;
  let isShown = false;
  const show: Progress = (done, count, of) => {
    const now = performance.now();
    if (current.done !== done) current = { done, began: now };
    if (now < next) return;
    next = now + interval;
    const line = progressLine(done, count, of, now - current.began);
    process.stderr.write(isBar ? `\r\u001b[2K${line.slice(0, columnsNow() - 1)}` : `${line}\n`);
    isShown = isBar;
  };
  const clear = () => {
    if (isShown) process.stderr.write('\r\u001b[2K');
    isShown = false;
  };
  process.once('exit', clear);
  return { show, showBesideOutput: process.stdout.isTTY ? () => {} : show, clear };
}

/** People change the size of their terminals meanwhile. */
function columnsNow(): number {
  return process.stderr.columns || USUAL_COLUMNS;
}

function progressLine(done: string, count: number, of: number | undefined, milliseconds: number): string {
  const rate = milliseconds > 0 ? `, ${grouped(Math.round((count / milliseconds) * 1000))} a second` : '';
  if (of === undefined) return `${grouped(count)} clients ${done}${rate}`;
  const filled = Math.round((WIDTH * count) / Math.max(1, of));
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]`;
  return `${bar} ${grouped(count)} of ${grouped(of)} clients ${done}${rate}`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

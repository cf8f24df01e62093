import type { Progress } from '../../administration/record-store.ts';
import type { Environment } from '../../settings/settings.ts';

/** Shows the progress of long work on standard error: a bar on a terminal, otherwise a line every ten seconds. */
export interface ProgressBar extends Disposable {
  readonly show: Progress;
  /** The same while results go to standard output: nothing when that is a terminal, whose lines the bar would disturb. */
  readonly showBesideOutput: Progress;
  /** Removes the bar from the terminal. */
  readonly clear: () => void;
}

const BAR_INTERVAL_MILLISECONDS = 100;
const LINE_INTERVAL_MILLISECONDS = 10_000;
const ERASE_LINE = '\r\u001b[2K';

export function createProgressBar(env: Environment): ProgressBar {
  // A dumb terminal cannot overwrite a line.
  const isBar = process.stderr.isTTY && env.TERM !== 'dumb';
  const interval = isBar ? BAR_INTERVAL_MILLISECONDS : LINE_INTERVAL_MILLISECONDS;
  let current = { done: '', startedAt: performance.now() };
  // Short work needs no progress.
  let nextAt = performance.now() + interval;
  let isVisible = false;
  const show: Progress = (done, count, total) => {
    const now = performance.now();
    if (current.done !== done) current = { done, startedAt: now };
    if (now < nextAt) return;
    nextAt = now + interval;
    const line = progressLine(done, count, total, now - current.startedAt);
    process.stderr.write(isBar ? `${ERASE_LINE}${line.slice(0, terminalColumns() - 1)}` : `${line}\n`);
    isVisible = isBar;
  };
  const clear = () => {
    if (isVisible) process.stderr.write(ERASE_LINE);
    isVisible = false;
  };
  process.once('exit', clear);
  return { show, showBesideOutput: process.stdout.isTTY ? () => {} : show, clear, [Symbol.dispose]: clear };
}

const DEFAULT_COLUMNS = 80;

/** Read for every line, since terminals are resized. */
function terminalColumns(): number {
  return process.stderr.columns || DEFAULT_COLUMNS;
}

const BAR_WIDTH = 24;

function progressLine(done: string, count: number, total: number | undefined, milliseconds: number): string {
  const rate = milliseconds > 0 ? `, ${grouped(Math.round((count / milliseconds) * 1000))} per second` : '';
  if (total === undefined) return `${grouped(count)} records ${done}${rate}`;
  const filled = Math.round((BAR_WIDTH * count) / Math.max(1, total));
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
  return `${bar} ${grouped(count)} of ${grouped(total)} records ${done}${rate}`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

import { statSync } from 'node:fs';

export interface FileWatcher {
  stop(): void;
}

export interface WatchFilesOptions {
  /** The files of this moment; asked each time, since a folder gets others. What it throws counts as a change. */
  readonly list: () => readonly string[];
  readonly onChange: () => void;
  /** Default: a second. */
  readonly intervalMilliseconds?: number | undefined;
}

const INTERVAL_MILLISECONDS = 1_000;
/** So many looks, of which no two saw the same, are waited for. */
const MAX_UNSETTLED_CHECKS = 10;

/**
 * Calls `onChange` when files are others than before, and have stayed so for one interval: not while somebody still
 * writes, unless they never come to rest. It looks at them at intervals, because a Kubernetes volume changes by the swap of a symlink in a folder above,
 * which no notification of the system tells reliably.
 */
export function watchFiles(options: WatchFilesOptions): FileWatcher {
  const { list, onChange, intervalMilliseconds = INTERVAL_MILLISECONDS } = options;
  let reported = readState(list);
  let last = reported;
  let unsettled = 0;
  const check = () => {
    const state = readState(list);
    unsettled = state === last ? 0 : unsettled + 1;
    last = state;
    if ((unsettled > 0 && unsettled < MAX_UNSETTLED_CHECKS) || state === reported) return;
    unsettled = 0;
    reported = state;
    onChange();
  };
  const timer = setInterval(check, intervalMilliseconds).unref();
  return { stop: () => clearInterval(timer) };
}

function readState(list: () => readonly string[]): string {
  try {
    return list().map(readFileState).join('\n');
  } catch (error) {
    return String(error);
  }
}

/**
 * A text that stays the same while the file does, or while it cannot be looked at for one reason. Symlinks are followed. A
 * file that was written over in place has another time, one that was swapped another number.
 */
export function readFileState(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [path, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String(error);
  }
}

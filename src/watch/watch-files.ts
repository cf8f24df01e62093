import { statSync } from 'node:fs';
import { callEvery } from '../shared-timer.ts';

interface FileWatcher {
  stop(): void;
}

interface WatchFilesOptions {
  /** Lists the files to watch; called at each check, since a folder may gain files. An error counts as a change. */
  readonly list: () => readonly string[];
  readonly onChange: () => void;
  /** The state of the files that is known already, by {@link filesState}. By default the present one. */
  readonly state?: string | undefined;
  /** Default: 1,000. */
  readonly intervalMilliseconds?: number | undefined;
}

/** Between two checks, by default. */
export const INTERVAL_MILLISECONDS = 1_000;
/** Files that keep changing are reported after this many checks. */
const MAX_UNSETTLED_CHECKS = 10;

/**
 * Calls `onChange` when the files have changed and then stayed the same for one interval, so that half-written files are
 * not read; files that never settle are reported now and then. It polls, because Kubernetes updates a volume by swapping
 * a symlink in a parent folder, which the operating system's notifications do not report reliably.
 */
export function watchFiles(options: WatchFilesOptions): FileWatcher {
  const { list, onChange, state: known = filesState(list), intervalMilliseconds = INTERVAL_MILLISECONDS } = options;
  let reported = known;
  let last = reported;
  let unsettled = 0;
  const check = () => {
    const state = filesState(list);
    unsettled = state === last ? 0 : unsettled + 1;
    last = state;
    if ((unsettled > 0 && unsettled < MAX_UNSETTLED_CHECKS) || state === reported) return;
    unsettled = 0;
    reported = state;
    onChange();
  };
  return { stop: callEvery(intervalMilliseconds, check) };
}

/** Identifies the state of all files, as {@link readFileState} does of one. */
export function filesState(list: () => readonly string[]): string {
  try {
    return list().map(readFileState).join('\n');
  } catch (error) {
    return String(error);
  }
}

/**
 * Identifies the state of a file: the same text as long as the file stays the same, or fails to open for the same reason.
 * Follows symlinks. Overwriting a file changes its modification time; swapping it changes its inode.
 */
export function readFileState(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [path, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String(error);
  }
}

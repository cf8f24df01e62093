import { filesState } from '../watch/watch-files.ts';
import type { Warn } from './setting.ts';

/** How to read a setting again when its file changes. */
export interface SettingFile<Value> {
  readonly path: string;
  /** @throws {RangeError} that begins with the variable; the message never contains a secret */
  readonly load: (warn: Warn) => Value;
}

/** A value from files that are read together: all of them again, when one changes. */
export interface SettingFiles<Value> {
  readonly paths: readonly string[];
  /** As read on startup. */
  readonly first: Value;
  /** From before that, by {@link filesState}. */
  readonly state: string;
  /** @throws {RangeError} that begins with the variable; the message never contains a secret */
  readonly load: (warn: Warn) => Value;
}

/**
 * Reads files for the first time.
 *
 * @param files undefined for a part of the value that is not in a file
 * @param read undefined if there is a problem, which it reports
 * @returns undefined also if nothing is in a file
 */
export function settingFiles<Value>(
  files: readonly (SettingFile<unknown> | undefined)[],
  read: () => Value | undefined,
  load: (warn: Warn) => Value,
): SettingFiles<Value> | undefined {
  const paths = files.flatMap((file) => file?.path ?? []);
  if (paths.length === 0) return undefined;
  const state = filesState(() => paths);
  const first = read();
  return first === undefined ? undefined : { paths, first, state, load };
}

/** Begins the message of an error with the variable or the file that it is about. */
export function naming<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new RangeError(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

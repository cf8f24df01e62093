import type { Log } from '../observability/log.ts';
import type { SettingFiles } from '../settings/setting-files.ts';
import { type WatchedFileName, WatchedValue, type WatchedValueOptions } from '../watch/watched-file.ts';
import type { WatchedFiles } from './watched-files.ts';

/** What happens to a reloaded value. */
export type Reaction<Value> = Pick<WatchedValueOptions<Value>, 'onReloaded' | 'describe' | 'isSame' | 'notAfter'>;

/** Watches the files of a setting; undefined if it is not in a file. Parts that are not read are logged as on startup. */
export function watchSetting<Value>(
  name: WatchedFileName,
  files: SettingFiles<Value> | undefined,
  { watched, log }: { readonly watched: WatchedFiles; readonly log: Log },
  reaction: Reaction<Value>,
): WatchedValue<Value> | undefined {
  if (!files) return undefined;
  const { paths, first: value, state } = files;
  const load = () => files.load((warning) => log.warn({ event: 'setting_warning' }, warning));
  // A certificate may not be valid yet.
  const options = { ...reaction, name, paths, load, repeats: true, log };
  return watched.add(new WatchedValue(options, { value, state }));
}

import type { ReloadResult, WatchedFile, WatchedFileName } from '../watch/watched-file.ts';

/** Everything that is loaded again when its files change. */
export interface WatchedFiles {
  /** In the order in which they were opened. */
  readonly all: readonly WatchedFile[];
  /** Adds what was opened, and stops it with the others. */
  add<File extends WatchedFile>(file: File): File;
  /** Reloads all of them. Resolves when that is done; what fails stays as it was. What has changed or failed is logged. */
  reloadAll(): Promise<readonly Reloaded[]>;
  stop(): Promise<void>;
}

export interface Reloaded {
  readonly name: WatchedFileName;
  readonly result: ReloadResult;
}

export function createWatchedFiles(): WatchedFiles {
  const all: WatchedFile[] = [];
  return {
    all,
    add: (file) => {
      all.push(file);
      return file;
    },
    reloadAll: () => Promise.all(all.map(async (file) => ({ name: file.name, result: await file.reload() }))),
    stop: async () => {
      await Promise.all(all.map((file) => file.stop()));
    },
  };
}

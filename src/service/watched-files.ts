import type { WatchedFile } from '../watched-file.ts';

/** Everything that is loaded again when its files change. */
export interface WatchedFiles {
  /** In the order in which they were opened. */
  readonly all: readonly WatchedFile[];
  /** Adds what was opened, and stops it with the others. */
  add<File extends WatchedFile>(file: File): File;
  /** Reloads all of them. Resolves when that is done; what fails is logged, and stays as it was. */
  reloadAll(): Promise<void>;
  stop(): Promise<void>;
}

export function createWatchedFiles(): WatchedFiles {
  const all: WatchedFile[] = [];
  return {
    all,
    add: (file) => {
      all.push(file);
      return file;
    },
    reloadAll: async () => {
      await Promise.all(all.map((file) => file.reload()));
    },
    stop: async () => {
      await Promise.all(all.map((file) => file.stop()));
    },
  };
}

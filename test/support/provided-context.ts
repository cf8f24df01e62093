import type { ProgramName } from './programs.ts';

/** What the global setup finds and starts once, and hands to every test file through vitest's `inject`. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** Absolute paths of the programs that are there. */
    programs: Partial<Record<ProgramName, string>>;
    /** The folder of this run, removed after it. */
    temporaryRoot: string;
    /** The URL of the run's redis-server, empty where there is none. */
    redisUrl: string;
  }
}

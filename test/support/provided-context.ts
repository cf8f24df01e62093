import type { ProgramName } from './programs.ts';

/** What the global setup provides to every test file through `inject`. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** Absolute paths of the installed programs. */
    programs: Partial<Record<ProgramName, string>>;
    /** The temporary folder of this test run. */
    temporaryRoot: string;
    /** The command as it ships, built from the source of this test run. */
    countersign: string;
    /** The URL of the redis-server of this test run; empty if there is none. */
    redisUrl: string;
  }
}

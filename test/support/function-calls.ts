import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from './repository-root.ts';

/** How often each function of one file was called. */
export interface FunctionCalls {
  /** Relative to the repository, such as `src/app.ts` or `node_modules/zod/v4/core/parse.js`. */
  readonly file: string;
  /** Empty for an anonymous function. */
  readonly name: string;
  readonly calls: number;
}

/** Counts, with V8's precise coverage, every function that is called in this thread until the work is done. */
export async function countCalls(work: () => Promise<void>): Promise<readonly FunctionCalls[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    await work();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => url.startsWith('file:') || url.startsWith('/'))
      .flatMap(({ url, functions }) => {
        const file = relative(repositoryRoot, url.startsWith('file:') ? fileURLToPath(url) : url);
        return functions.map(({ functionName, ranges }) => ({
          file,
          name: functionName,
          calls: ranges[0]?.count ?? 0,
        }));
      })
      .filter(({ calls }) => calls > 0);
  } finally {
    session.disconnect();
  }
}

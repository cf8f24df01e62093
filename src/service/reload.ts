import type { Log } from '../observability/log.ts';
import type { Logs } from '../observability/logs.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Opens the audit file again, loads all watched files and fetches the CRLs behind URLs, whether or not they have changed.
 * Resolves when all of that is done. What fails is logged, and stays as it was.
 */
export async function reloadAll({ watched, crls }: Pick<Dependencies, 'watched' | 'crls'>, logs: Logs): Promise<void> {
  logs.reopen();
  const [areFetched = true] = await Promise.all([crls?.fetchUrls(), watched.reloadAll()]);
  const invalid = watched.all.filter(({ problem }) => problem !== undefined).map(({ name }) => name);
  logReload([...new Set([...invalid, ...(areFetched ? [] : ['crls'])])], logs.problem, logs.log);
}

/** @param problem why no decision can be recorded, which has nothing to do with the files */
function logReload(failed: readonly string[], problem: string | undefined, log: Log): void {
  const unchanged = failed.length === 0 ? '' : `; unchanged: ${failed.join(', ')}`;
  if (problem !== undefined) {
    const fields = { event: 'reload_failed', reason: problem, ...(failed.length > 0 && { failed }) };
    log.error(fields, `requests get 503, since ${problem}${unchanged}`);
  } else if (failed.length === 0) log.info({ event: 'reloaded' }, 'reloaded everything that is watched');
  else log.warn({ event: 'reloaded', failed }, `reloaded what is valid${unchanged}`);
}

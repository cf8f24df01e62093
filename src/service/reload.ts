import type { Log } from '../observability/log.ts';
import type { Logs } from '../observability/logs.ts';
import type { CrlChecker } from '../pki/crl/crl-checker.ts';
import type { Dependencies } from './dependencies.ts';
import type { Reloaded } from './watched-files.ts';

/**
 * Opens the audit file again, loads all watched files and fetches the CRLs behind URLs, whether or not they have changed.
 * Resolves when all of that is done. What fails is logged, and stays as it was.
 */
export async function reloadAll({ watched, crls }: Pick<Dependencies, 'watched' | 'crls'>, logs: Logs): Promise<void> {
  logs.reopen();
  const [fetched, reloaded] = await Promise.all([crls ? fetchCrls(crls) : [], watched.reloadAll()]);
  logReload([...reloaded, ...fetched], logs.problem, logs.log);
}

async function fetchCrls(crls: CrlChecker): Promise<readonly Reloaded[]> {
  const known = new Set(crls.crls().map(({ crl }) => crl));
  const areFetched = await crls.fetchUrls();
  const isNew = crls.crls().some(({ crl }) => !known.has(crl));
  return [
    ...(areFetched ? [] : [{ name: 'crls', result: 'failed' } as const]),
    { name: 'crls', result: isNew ? 'changed' : 'unchanged' },
  ];
}

/** @param problem why no decision can be recorded, which has nothing to do with the files */
function logReload(results: readonly Reloaded[], problem: string | undefined, log: Log): void {
  const checked = [...new Set(results.map(({ name }) => name))];
  const having = (wanted: Reloaded['result']) =>
    checked.filter((name) => results.some((each) => each.name === name && each.result === wanted));
  const [changed, failed] = [having('changed'), having('failed')];
  const failures = failed.length === 0 ? '' : `; failed, the previous content stays in use: ${failed.join(', ')}`;
  const summary = `checked ${listed(checked)}; changed: ${listed(changed)}${failures}`;
  const fields = { checked, changed, ...(failed.length > 0 && { failed }) };
  if (problem !== undefined) {
    log.error({ event: 'reload_failed', reason: problem, ...fields }, `requests get 503, since ${problem}; ${summary}`);
  } else if (failed.length > 0) log.warn({ event: 'reloaded', ...fields }, summary);
  else log.info({ event: 'reloaded', ...fields }, summary);
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}

import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { fileErrorReason } from '../../errors/file-error.ts';
import type { Log } from '../../observability/log.ts';
import { counted } from '../../text.ts';
import { openWatchedValue, type WatchedFile } from '../../watch/watched-file.ts';
import type { CertificationPath, PathViolation } from '../path/path.ts';
import type { TrustStore } from '../path/trust-store.ts';
import type { CrlCache } from './crl-cache.ts';
import { describeCrl } from './crl-coverage.ts';
import { crlFiles, type ParsedCrls, parseCrls, readCrlFile } from './crl-files.ts';
import { describeScope } from './crl-scope.ts';
import { CrlStore, type StoredCrl } from './crl-store.ts';
import { type CrlPolicy, crlViolation } from './crl-violation.ts';
import { pollCrlUrl } from './poll-crl-url.ts';

/** The sources of CRLs, and how they are applied. */
export interface CrlConfig {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly policy: CrlPolicy;
  /** A change at a URL takes effect within this time. */
  readonly intervalMilliseconds: number;
}

export interface CrlCheckerOptions {
  readonly config: CrlConfig;
  readonly currentTrust: () => TrustStore;
  /** Resolves when changed CA certificates are in use: files of a volume change together. */
  readonly refreshTrust?: () => Promise<void>;
  readonly cache: CrlCache;
  readonly log: Log;
  readonly now: () => number;
}

/** Checks paths against CRLs, which it keeps up to date. */
export interface CrlChecker {
  /** @param now milliseconds since the epoch */
  violation(path: CertificationPath, now: number): PathViolation | undefined;
  /** The CRLs in use. */
  crls(): readonly StoredCrl[];
  /**
   * Adapts to changed CA certificates: removes the CRLs of CAs that are not configured any more, and loads everything
   * again, since CRLs that were rejected before can be valid. Problems are logged.
   */
  reload(): Promise<void>;
  /** Fetches the CRLs behind all URLs now. Resolves to whether each is in use; problems are logged. */
  fetchUrls(): Promise<boolean>;
  readonly files: WatchedFile;
  stop(): Promise<void>;
}

/** An unresponsive CA must not prevent the server from starting. */
const MAX_STARTUP_MILLISECONDS = 5_000;

/**
 * Loads the CRLs of all files and URLs and keeps them up to date. It waits for the first attempt at each URL, but no
 * longer than 5 s; failed attempts are logged.
 *
 * @throws {Error} when a file cannot be read or contains an unusable CRL
 */
export async function openCrlChecker(options: CrlCheckerOptions): Promise<CrlChecker> {
  const { config, currentTrust, cache, log, now } = options;
  const store = new CrlStore({ currentTrust, now, sources: config.urls });
  const files = await openWatchedValue({
    name: 'crls',
    paths: config.paths,
    list: () => config.paths.flatMap(crlFiles),
    load: async () => {
      await options.refreshTrust?.();
      const { problems, ...loaded } = await loadFiles(config, store, log);
      if (problems.length > 0) throw new Error(problems.join('; '));
      return loaded;
    },
    describe: () => ({ summary: `${counted(store.current.byCa.size, 'CA')} with a CRL` }),
    isSame: ({ files, added }, previous) => added === 0 && isDeepStrictEqual(files, previous.files),
    log,
  });
  let polling = pollUrls(options, store);
  await Promise.race([polling.firstAttempts, setTimeout(MAX_STARTUP_MILLISECONDS, undefined, { ref: false })]);
  return {
    violation: (path, time) => crlViolation(path, store.current, config.policy, time),
    crls: () => [...store.current.byCa.values()].flat(),
    reload: async () => {
      store.update();
      polling.stop();
      polling = pollUrls(options, store);
      await files.reload();
    },
    fetchUrls: () => polling.fetch(),
    files,
    stop: async () => {
      await files.stop();
      polling.stop();
      cache.close();
    },
  };
}

function pollUrls({ config, cache, log, now }: CrlCheckerOptions, store: CrlStore) {
  const abort = new AbortController();
  const { intervalMilliseconds } = config;
  const pollings = config.urls.map((url) => {
    const load = async (content: Uint8Array) => {
      await loadParsed(url, parseCrls(content), store, log);
    };
    const onStatus = logStatusChanges(url, log);
    return pollCrlUrl({ url, intervalMilliseconds, cache, load, onStatus, now, signal: abort.signal });
  });
  return {
    firstAttempts: Promise.all(pollings.map(({ firstAttempt }) => firstAttempt)),
    fetch: async () => (await Promise.all(pollings.map((each) => each.fetch()))).every(Boolean),
    stop: () => abort.abort(),
  };
}

/**
 * Loads each file separately, so that an unusable one does not affect the others. Unless a path cannot be read, the files
 * that are no longer there are forgotten.
 */
async function loadFiles({ paths, urls }: CrlConfig, store: CrlStore, log: Log): Promise<LoadedFiles> {
  const problems: string[] = [];
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...crlFiles(path));
    } catch (error) {
      problems.push(problemWith(path, error));
    }
  }
  if (problems.length === 0) store.retainSources([...files, ...urls]);
  let added = 0;
  for (const file of files) {
    try {
      added += await loadParsed(file, readCrlFile(file), store, log);
    } catch (error) {
      problems.push(problemWith(file, error));
    }
  }
  return { files, added, problems };
}

interface LoadedFiles {
  readonly files: readonly string[];
  /** How many CRLs are new. */
  readonly added: number;
  readonly problems: readonly string[];
}

/** Returns how many CRLs are new. */
async function loadParsed(source: string, { crls, unread }: ParsedCrls, store: CrlStore, log: Log): Promise<number> {
  for (const part of unread) log.warn({ event: 'crl_warning', source }, `CRL from ${source}: ${part}`);
  const added = await store.load(source, crls);
  logLoaded(added, log);
  return added.length;
}

function problemWith(source: string, error: unknown): string {
  return `CRL from ${source}: ${fileErrorReason(error)}`;
}

function logLoaded(added: readonly StoredCrl[], log: Log): void {
  for (const stored of added) {
    const { crl, ca, publicKeyThumbprint } = stored;
    const fields = {
      event: 'crl_loaded',
      ca,
      public_key_thumbprint: publicKeyThumbprint,
      scope: describeScope(crl.scope),
      this_update: new Date(crl.thisUpdate).toISOString(),
      next_update: new Date(crl.nextUpdate).toISOString(),
      revoked: crl.revoked.size,
    };
    log.info(fields, `loaded ${describeCrl(stored)}: ${crl.revoked.size} revoked, valid until ${fields.next_update}`);
  }
}

/** Logs a problem once, and when it is resolved. */
function logStatusChanges(url: string, log: Log): (problem: string | undefined) => void {
  let last: string | undefined;
  return (problem) => {
    if (problem === last) return;
    last = problem;
    if (problem === undefined) log.info({ event: 'crl_available', url }, `CRL from ${url}: available again`);
    else logProblem(`CRL from ${url}: ${problem}`, log);
  };
}

function logProblem(reason: string, log: Log): void {
  log.error({ event: 'crl_unavailable', reason }, `${reason}; the previous CRLs stay in use`);
}

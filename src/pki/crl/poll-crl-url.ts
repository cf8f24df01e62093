import { setTimeout } from 'node:timers/promises';
import { ReloadQueue } from '../../watch/reload-queue.ts';
import { type CrlCache, CrlCacheError, createLocalCrlCache } from './crl-cache.ts';
import { fetchCrl } from './fetch-crl.ts';

export interface PolledUrl {
  readonly url: string;
  /** Every replica uses a new CRL within this time after the CA published it. */
  readonly intervalMilliseconds: number;
  readonly cache: CrlCache;
  /** Loads fetched content; throws if it cannot be used. */
  readonly load: (content: Uint8Array) => Promise<void>;
  /** Called after each poll: undefined on success, otherwise the problem. */
  readonly onStatus: (problem: string | undefined) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Per interval: a replica fetches content that is older than half of it, and checks the cache four times. */
const FETCHES_PER_INTERVAL = 2;
const POLLS_PER_INTERVAL = 4;

export interface CrlUrlPolling {
  /** Resolves when the first attempt has succeeded or failed. */
  readonly firstAttempt: Promise<unknown>;
  /** Fetches now, whatever other replicas have fetched. Resolves to whether that has succeeded, and the CRL is in use. */
  fetch(): Promise<boolean>;
}

/**
 * Polls a URL until aborted. One replica fetches for all, before the content is needed. If the cache cannot be used,
 * each replica fetches for itself.
 */
export function pollCrlUrl(polled: PolledUrl): CrlUrlPolling {
  const { intervalMilliseconds, signal } = polled;
  const poll = createPoll(polled);
  const polls = new ReloadQueue(() => poll('fetch'));
  const firstAttempt = polls.add(() => poll('refresh'));
  const repeat = async () => {
    await firstAttempt;
    while (!signal.aborted) {
      await setTimeout(intervalMilliseconds / POLLS_PER_INTERVAL, undefined, { signal, ref: false });
      await polls.add(() => poll('refresh'));
    }
  };
  // Only the signal ends it: a poll does not throw.
  repeat().catch(() => {});
  return { firstAttempt, fetch: () => polls.reload() };
}

/** `refresh`: fetches only content that is old. */
type PollKind = 'refresh' | 'fetch';

/** Resolves to whether the CRL could be fetched and used. */
type Poll = (kind: PollKind) => Promise<boolean>;

function createPoll({ url, intervalMilliseconds, cache: shared, load, onStatus, now, signal }: PolledUrl): Poll {
  const local = createLocalCrlCache();
  const loadOnce = oncePerDigest(load);
  const fetchInto = async (cache: CrlCache) => cache.store(url, await fetchCrl(url, signal), now());
  const refresh = async (cache: CrlCache) => {
    const cached = await cache.find(url);
    if (cached && now() - cached.fetchedAt < intervalMilliseconds / FETCHES_PER_INTERVAL) return;
    await cache.withLock(url, () => fetchInto(cache));
  };
  const loadFrom = async (cache: CrlCache) => {
    const cached = await cache.find(url);
    if (cached) await loadOnce(cached.digest, () => cache.content(url));
  };
  const pollThrough = async (kind: PollKind, cache: CrlCache) => {
    // If the fetch fails, the content that another replica fetched is still loaded. Invalid content is fetched again.
    const [refreshed] = await Promise.allSettled([kind === 'fetch' ? fetchInto(cache) : refresh(cache)]);
    await loadFrom(cache);
    if (refreshed.status === 'rejected') throw refreshed.reason;
  };
  return async (kind) => {
    try {
      await pollThrough(kind, shared).catch((error: Error) => {
        if (error instanceof CrlCacheError) return pollThrough(kind, local);
        throw error;
      });
      onStatus(undefined);
      return true;
    } catch (error) {
      // What has thrown are functions of this file and those that it was given, which throw errors.
      onStatus((error as Error).message);
      return false;
    }
  };
}

/** Loads each content once. The problem of content that failed to load is reported until the content changes. */
function oncePerDigest(load: PolledUrl['load']) {
  let last: { readonly digest: string; readonly problem: Error | undefined } | undefined;
  return async (digest: string, read: () => Promise<Uint8Array | undefined>) => {
    if (digest !== last?.digest) {
      const content = await read();
      if (!content) return;
      const problem = await load(content).then(
        () => undefined,
        (error: Error) => error,
      );
      last = { digest, problem };
    }
    if (last.problem) throw last.problem;
  };
}

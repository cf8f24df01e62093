import { setTimeout } from 'node:timers/promises';
import { type CrlCache, createLocalCrlCache } from './crl-cache.ts';

export interface PolledUrl {
  readonly url: string;
  /** A change at the CA is taken within this long, by every replica. */
  readonly intervalMilliseconds: number;
  readonly cache: CrlCache;
  /** Takes what was fetched. It throws where that cannot be used. */
  readonly load: (content: Uint8Array) => Promise<void>;
  /** Told of each change: undefined where all is well, else what is wrong. */
  readonly onStatus: (problem: string | undefined) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Of an interval: a replica fetches again what is older than half of it, and looks at what others fetched each quarter. */
const FETCHES = 2;
const LOOKS = 4;

/**
 * Follows a URL until the signal ends it: what it holds is fetched before anybody needs it, by one replica for all. Where
 * Redis cannot be asked each replica fetches for itself.
 *
 * @returns when the first attempt has succeeded or failed
 */
export async function pollCrlUrl(followed: PolledUrl): Promise<void> {
  const { intervalMilliseconds, signal } = followed;
  const look = createLook(followed);
  await look();
  const goOn = async () => {
    while (!signal.aborted) {
      await setTimeout(intervalMilliseconds / LOOKS, undefined, { signal, ref: false });
      await look();
    }
  };
  // It ends by the signal only: a look does not fail.
  goOn().catch(() => {});
}

function createLook({
  url,
  intervalMilliseconds,
  cache: shared,
  load: take,
  onStatus: onState,
  now,
  signal,
}: PolledUrl): () => Promise<void> {
  const own = createLocalCrlCache();
  const takeOnce = onceForEachDigest(take);
  const takeFrom = async (copies: CrlCache) => {
    const copy = await copies.find(url);
    if (copy) await takeOnce(copy.digest, () => copies.content(url));
  };
  const refresh = async (copies: CrlCache) => {
    const copy = await copies.find(url);
    if (copy && now() - copy.fetchedAt < intervalMilliseconds / FETCHES) return;
    await copies.withLock(url, async () => copies.store(url, await fetchCrl(url, signal), now()));
  };
  const lookAt = async (copies: CrlCache) => {
    // That the CA is away must not keep us from what another replica got of it, nor what cannot be used from the next.
    const [refreshed] = await Promise.allSettled([refresh(copies)]);
    await takeFrom(copies);
    if (refreshed.status === 'rejected') throw refreshed.reason;
  };
  return async () => {
    const usable = await isThere(shared, url);
    await lookAt(usable ? shared : own).then(
      () => onState(undefined),
      (error: Error) => onState(error.message),
    );
  };
}

/** What was taken is not taken again, and what could not be used stays a problem, until there is something else. */
function onceForEachDigest(take: PolledUrl['load']) {
  let last: { readonly digest: string; readonly problem: Error | undefined } | undefined;
  return async (digest: string, read: () => Promise<Uint8Array | undefined>) => {
    if (digest !== last?.digest) {
      const content = await read();
      if (!content) return;
      const problem = await take(content).then(
        () => undefined,
        (error: Error) => error,
      );
      last = { digest, problem };
    }
    if (last.problem) throw last.problem;
  };
}

async function isThere(shared: CrlCache, url: string): Promise<boolean> {
  return shared.find(url).then(
    () => true,
    () => false,
  );
}

const TIMEOUT_MILLISECONDS = 30_000;
/** A CRL of a million entries has about 40 MiB. */
const MAX_OCTETS = 64 * 1024 * 1024;

/**
 * Fetches a URL of the configuration; never one of a certificate.
 *
 * @throws {Error} saying why there is no answer of status 200 within 30 s and 64 MiB; redirects are not followed
 */
export async function fetchCrl(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
  try {
    const response = await fetch(url, { redirect: 'error', signal: bounded });
    if (response.status !== 200) throw new Error(`the server answered with status ${response.status}`);
    return await readBounded(response);
  } catch (error) {
    // The message of fetch itself is "fetch failed"; what failed stands behind it.
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    throw new Error(cause instanceof Error ? `${message}: ${cause.message}` : message);
  }
}

async function readBounded({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of body ?? []) {
    octets += chunk.length;
    if (octets > MAX_OCTETS) throw new Error(`the answer is larger than ${MAX_OCTETS} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

import { setTimeout } from 'node:timers/promises';
import type { Path, PathFault } from '../certification-path/path.ts';
import type { TrustStore } from '../certification-path/trust-store.ts';
import type { Log } from '../operations/log.ts';
import { watchFiles } from '../operations/watch-files.ts';
import { crlFiles, readCrlFile, readCrls } from './crl-files.ts';
import { followCrlUrl } from './follow-crl-url.ts';
import { revocationFault } from './revocation-fault.ts';
import { type AuthorityList, RevocationLists } from './revocation-lists.ts';
import type { RevocationPolicy } from './revocation-policy.ts';
import type { SharedCrls } from './shared-crls.ts';

/** A CA that is silent must not keep the server from starting. */
const LONGEST_START_MILLISECONDS = 5_000;

/** Where the CRLs are, and what they are worth. */
export interface RevocationConfig {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly policy: RevocationPolicy;
  /** A change is taken within this long. */
  readonly intervalMilliseconds: number;
}

export interface RevocationOptions {
  readonly config: RevocationConfig;
  readonly currentTrust: () => TrustStore;
  readonly shared: SharedCrls;
  readonly log: Log;
  readonly now: () => number;
}

/** Knows what the CAs revoked, and follows what they revoke. */
export interface Revocation {
  /** @param now milliseconds since the epoch */
  faultOf(path: Path, now: number): PathFault | undefined;
  lists(): ReadonlyMap<string, AuthorityList>;
  /** Reads everything again: there are other CAs now, which may have signed what nobody knew before. */
  reload(): void;
  stop(): void;
}

/**
 * Reads the CRLs of files and URLs, and follows them. The first attempt at each URL is awaited, though not for longer than
 * 5 s; what it comes to, the log says.
 *
 * @throws {Error} when a file cannot be read, or holds what cannot be used
 */
export async function openRevocation(options: RevocationOptions): Promise<Revocation> {
  const { config, currentTrust, shared, log, now } = options;
  const lists = new RevocationLists(currentTrust);
  const take = async (content: Uint8Array) => {
    for (const der of readCrls(content)) sayAccepted(await lists.offer(der), log);
  };
  const readFiles = async () => {
    for (const path of config.paths.flatMap(crlFiles)) await takeFile(path, lists, log);
  };
  let following = new AbortController();
  const followAll = () =>
    config.urls.map((url) => {
      const { intervalMilliseconds } = config;
      const onState = sayChanges(url, log);
      return followCrlUrl({ url, intervalMilliseconds, shared, take, onState, now, signal: following.signal });
    });
  await readFiles();
  await Promise.race([Promise.all(followAll()), setTimeout(LONGEST_START_MILLISECONDS, undefined, { ref: false })]);
  const readAgain = () => {
    readFiles().catch((error: Error) => sayProblem(error.message, log));
  };
  const watch = watchFiles({ list: () => config.paths.flatMap(crlFiles), onChange: readAgain });
  return {
    faultOf: (path, time) => revocationFault(path, lists.current, config.policy, time),
    lists: () => lists.current,
    reload: () => {
      readAgain();
      following.abort();
      following = new AbortController();
      followAll();
    },
    stop: () => {
      watch.stop();
      following.abort();
      shared.close();
    },
  };
}

async function takeFile(path: string, lists: RevocationLists, log: Log): Promise<void> {
  try {
    for (const der of readCrlFile(path)) sayAccepted(await lists.offer(der), log);
  } catch (error) {
    throw new Error(`the CRL of ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sayAccepted(accepted: AuthorityList | undefined, log: Log): void {
  if (!accepted) return;
  const { list, authority, publicKeyThumbprint } = accepted;
  const fields = {
    event: 'crl_accepted',
    authority,
    public_key_thumbprint: publicKeyThumbprint,
    this_update: new Date(list.thisUpdate).toISOString(),
    next_update: new Date(list.nextUpdate).toISOString(),
    revoked: list.revoked.size,
  };
  log.info(fields, `CRL of CA "${authority}": ${list.revoked.size} revoked, counts until ${fields.next_update}`);
}

/** The same problem is said once, and its end. */
function sayChanges(url: string, log: Log): (problem: string | undefined) => void {
  let last: string | undefined;
  return (problem) => {
    if (problem === last) return;
    last = problem;
    if (problem === undefined) log.info({ event: 'crl_available', url }, `the CRL of ${url} is there again`);
    else sayProblem(`the CRL of ${url}: ${problem}`, log);
  };
}

function sayProblem(reason: string, log: Log): void {
  log.error({ event: 'crl_unavailable', reason }, `${reason}; what was known before stays`);
}

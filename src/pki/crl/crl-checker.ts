import { setTimeout } from 'node:timers/promises';
import type { Log } from '../../observability/log.ts';
import type { ObservedMetric, Sample } from '../../observability/metrics.ts';
import { watchFiles } from '../../watch-files.ts';
import type { CertificationPath, PathViolation } from '../path/path.ts';
import type { TrustStore } from '../path/trust-store.ts';
import type { CrlCache } from './crl-cache.ts';
import { crlFiles, parseCrls, readCrlFile } from './crl-files.ts';
import { CrlStore, type StoredCrl } from './crl-store.ts';
import { type CrlPolicy, crlViolation } from './crl-violation.ts';
import { pollCrlUrl } from './poll-crl-url.ts';

/** A CA that is silent must not keep the server from starting. */
const LONGEST_START_MILLISECONDS = 5_000;

/** Where the CRLs are, and what they are worth. */
export interface CrlConfig {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly policy: CrlPolicy;
  /** A change is taken within this long. */
  readonly intervalMilliseconds: number;
}

export interface CrlCheckerOptions {
  readonly config: CrlConfig;
  readonly currentTrust: () => TrustStore;
  readonly cache: CrlCache;
  readonly log: Log;
  readonly now: () => number;
}

/** Knows what the CAs revoked, and follows what they revoke. */
export interface CrlChecker {
  /** @param now milliseconds since the epoch */
  violation(path: CertificationPath, now: number): PathViolation | undefined;
  crls(): ReadonlyMap<string, StoredCrl>;
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
export async function openCrlChecker(options: CrlCheckerOptions): Promise<CrlChecker> {
  const { config, currentTrust, cache: shared, log } = options;
  const lists = new CrlStore(currentTrust);
  const problems = await takeFiles(config.paths, lists, log);
  if (problems.length > 0) throw new Error(problems.join('; '));
  let following = followAll(options, lists);
  await Promise.race([following.firstAttempts, setTimeout(LONGEST_START_MILLISECONDS, undefined, { ref: false })]);
  const readAgain = async () => {
    for (const problem of await takeFiles(config.paths, lists, log)) logProblem(problem, log);
  };
  const watch = watchFiles({ list: () => config.paths.flatMap(crlFiles), onChange: readAgain });
  return {
    violation: (path, time) => crlViolation(path, lists.current, config.policy, time),
    crls: () => lists.current,
    reload: () => {
      readAgain();
      following.stop();
      following = followAll(options, lists);
    },
    stop: () => {
      watch.stop();
      following.stop();
      shared.close();
    },
  };
}

function followAll({ config, cache: shared, log, now }: CrlCheckerOptions, lists: CrlStore) {
  const ending = new AbortController();
  const { intervalMilliseconds } = config;
  const take = async (content: Uint8Array) => {
    for (const der of parseCrls(content)) logLoaded(await lists.add(der), log);
  };
  const firstAttempts = config.urls.map((url) => {
    const onState = logChanges(url, log);
    return pollCrlUrl({
      url,
      intervalMilliseconds,
      cache: shared,
      load: take,
      onStatus: onState,
      now,
      signal: ending.signal,
    });
  });
  return { firstAttempts: Promise.all(firstAttempts), stop: () => ending.abort() };
}

/** Each file by itself: one that cannot be used does not keep the others out. Returns what is wrong with those. */
async function takeFiles(paths: readonly string[], lists: CrlStore, log: Log): Promise<string[]> {
  const problems: string[] = [];
  for (const path of paths) {
    try {
      for (const file of crlFiles(path)) problems.push(...(await takeFile(file, lists, log)));
    } catch (error) {
      problems.push(`the CRL of ${path}: ${messageOf(error)}`);
    }
  }
  return problems;
}

async function takeFile(file: string, lists: CrlStore, log: Log): Promise<string[]> {
  try {
    for (const der of readCrlFile(file)) logLoaded(await lists.add(der), log);
    return [];
  } catch (error) {
    return [`the CRL of ${file}: ${messageOf(error)}`];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function logLoaded(accepted: StoredCrl | undefined, log: Log): void {
  if (!accepted) return;
  const { crl, ca, publicKeyThumbprint } = accepted;
  const fields = {
    event: 'crl_loaded',
    ca,
    public_key_thumbprint: publicKeyThumbprint,
    this_update: new Date(crl.thisUpdate).toISOString(),
    next_update: new Date(crl.nextUpdate).toISOString(),
    revoked: crl.revoked.size,
  };
  log.info(fields, `CRL of CA "${ca}": ${crl.revoked.size} revoked, counts until ${fields.next_update}`);
}

/** The same problem is said once, and its end. */
function logChanges(url: string, log: Log): (problem: string | undefined) => void {
  let last: string | undefined;
  return (problem) => {
    if (problem === last) return;
    last = problem;
    if (problem === undefined) log.info({ event: 'crl_available', url }, `the CRL of ${url} is there again`);
    else logProblem(`the CRL of ${url}: ${problem}`, log);
  };
}

function logProblem(reason: string, log: Log): void {
  log.error({ event: 'crl_unavailable', reason }, `${reason}; what was known before stays`);
}

const labels = ['ca', 'public_key_thumbprint'] as const;

/**
 * How old the CRLs are, and until when they count.
 *
 * @param lists those of this moment
 * @param now milliseconds since the epoch
 */
export function crlGauges(lists: () => Iterable<StoredCrl>, now: () => number): ObservedMetric[] {
  const each = (value: (list: StoredCrl['crl']) => number) => (): Sample[] =>
    [...lists()].map(({ crl, ca, publicKeyThumbprint }) => ({
      labels: { ca, public_key_thumbprint: publicKeyThumbprint },
      value: value(crl),
    }));
  return [
    {
      name: 'crl_age_seconds',
      help: "Time since the CRL's thisUpdate",
      labels,
      read: each(({ thisUpdate }) => (now() - thisUpdate) / 1000),
    },
    {
      name: 'crl_next_update_timestamp_seconds',
      help: 'When the CRL stops to count, seconds since the epoch',
      labels,
      read: each(({ nextUpdate }) => nextUpdate / 1000),
    },
    {
      name: 'crl_revoked_certificates',
      help: 'How many serial numbers are on the CRL',
      labels,
      read: each(({ revoked }) => revoked.size),
    },
    {
      name: 'crl_memory_bytes',
      help: 'How much memory the serial numbers of the CRL take',
      labels,
      read: each(({ revoked }) => revoked.memory),
    },
  ];
}

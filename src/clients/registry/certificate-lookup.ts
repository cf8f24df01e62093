import { type LoadResult, NearCache } from '../../cache/near-cache.ts';
import { isClientId } from '../../oauth/grammar.ts';
import { invalidClient } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { readSmallSets, type SmallSet } from '../../redis/commands/small-sets.ts';
import type { CommandExecutor, GuardedRedis } from '../../redis/guarded-redis.ts';
import { abbreviate } from '../../text.ts';
import type { Client } from '../client.ts';
import { Candidate } from './candidate.ts';
import { certificateKeys } from './certificate-keys.ts';
import { type ChangeCounters, counterOf } from './change-counters.ts';
import type { DataLossDetector } from './data-loss.ts';
import { unlessLost } from './load-record.ts';
import { lookupFailed } from './lookup-failed.ts';
import type { Caching, RecordCache } from './record-cache.ts';

interface CertificateLookupOptions {
  readonly redis: Pick<GuardedRedis, 'executeOptional'>;
  /** Executes SMEMBERS. */
  readonly execute: CommandExecutor;
  /** Of the key of an identity. */
  readonly prefix: string;
  readonly clients: Pick<RecordCache<Client>, 'prefix' | 'find'>;
  readonly dataLoss: DataLossDetector;
  /** Of all keys that Redis reports. */
  readonly changes: ChangeCounters;
  readonly caching: Caching;
}

/** Those that the identity index names for a certificate, or why it cannot be looked up. */
type Candidates = readonly Candidate[] | { readonly reason: string };

/** Of one identity, and of one certificate. A set in Redis can have millions. */
const MAX_CANDIDATES = 256;

/** Finds the clients of a certificate by the identity index in Redis, cached until Redis reports a change. */
export class CertificateLookup {
  /** By thumbprint and version: after a change of any of its identities, the certificate is looked up again. */
  readonly cache: NearCache<Candidates, ClientCertificate>;
  readonly #options: CertificateLookupOptions;
  /** For certificates that are parsed once and presented often: hashing their names takes longer than a cached lookup. */
  readonly #counters = new WeakMap<ClientCertificate, Uint32Array>();

  constructor(options: CertificateLookupOptions) {
    this.#options = options;
    this.cache = new NearCache({ ...options.caching, load: (_, certificate) => this.#load(certificate) });
  }

  /**
   * @throws {OAuthError} temporarily_unavailable if a lookup fails; invalid_client if the certificate has too many
   *   identities or candidates, or if none of these has a valid record
   */
  async find(certificate: ClientCertificate): Promise<readonly Client[]> {
    const { clients, changes } = this.#options;
    const candidates = await this.#findCandidates(certificate);
    const found = await Promise.all(candidates.map((candidate) => candidate.find(clients, changes)));
    const valid = found.flatMap((stored) => (stored.kind === 'record' ? [stored.record] : []));
    const invalid = found.flatMap((stored) => (stored.kind === 'invalid' ? [stored.reason] : []));
    if (valid.length === 0 && invalid.length > 0) throw invalidClient(abbreviate(invalid.join('; ')));
    return valid;
  }

  async #findCandidates(certificate: ClientCertificate): Promise<readonly Candidate[]> {
    const version = this.#options.changes.version(this.#countersOf(certificate));
    const key = `${certificate.thumbprint}.${version}`;
    const candidates = await this.cache.find(key, certificate).catch((error: unknown) => {
      throw lookupFailed(`the clients of the certificate with thumbprint ${certificate.thumbprint}`, error);
    });
    if ('reason' in candidates) throw invalidClient(candidates.reason);
    return candidates;
  }

  #countersOf(certificate: ClientCertificate): Uint32Array {
    const known = this.#counters.get(certificate);
    if (known) return known;
    const { prefix } = this.#options;
    const counters = Uint32Array.from(certificateKeys(certificate), (key) => counterOf(`${prefix}${key}`));
    this.#counters.set(certificate, counters);
    return counters;
  }

  async #load(certificate: ClientCertificate): Promise<LoadResult<Candidates>> {
    const { redis, execute, prefix, dataLoss } = this.#options;
    const identityKeys = certificateKeys(certificate);
    const keys = identityKeys.map((key) => `${prefix}${key}`);
    const sets = await unlessLost(dataLoss, async () => {
      const found = await readSmallSets({ size: redis.executeOptional, members: execute }, keys, MAX_CANDIDATES);
      return found.every((set) => set.length === 0) ? undefined : found;
    });
    return toLoadResult(candidatesIn(sets ?? [], identityKeys, prefix));
  }
}

/** @param sets of the identities, in their order */
function candidatesIn(sets: readonly SmallSet[], identityKeys: readonly string[], prefix: string): Candidates {
  const byClient = new Map<string, string[]>();
  for (const [index, set] of sets.entries()) {
    const identityKey = identityKeys[index] ?? '';
    if (set === 'oversized') return { reason: tooMany(`the index entry ${prefix}${identityKey} names`) };
    for (const clientId of set.filter(isClientId)) {
      const keys = byClient.get(clientId);
      if (keys) keys.push(identityKey);
      else byClient.set(clientId, [identityKey]);
    }
  }
  if (byClient.size > MAX_CANDIDATES) return { reason: tooMany('the identities of the certificate belong to') };
  return [...byClient].sort().map(([clientId, keys]) => new Candidate(clientId, keys));
}

function tooMany(subject: string): string {
  return `${subject} more than ${MAX_CANDIDATES} clients, which are too many to compare with one certificate`;
}

function toLoadResult(candidates: Candidates): LoadResult<Candidates> {
  if ('reason' in candidates) return { kind: 'present', value: candidates, bytes: candidates.reason.length };
  if (candidates.length === 0) return { kind: 'absent', value: candidates, bytes: 0 };
  return { kind: 'present', value: candidates, bytes: candidates.reduce((sum, { bytes }) => sum + bytes, 0) };
}

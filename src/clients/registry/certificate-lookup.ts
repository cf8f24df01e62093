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
import { all, type Caching, type RecordCache } from './record-cache.ts';

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

/** A certificate to look up. */
interface PresentedIdentity {
  readonly certificate: ClientCertificate;
  /** Otherwise, its names are the choice of the client. */
  readonly hasVerifiedChain: boolean;
}

/** Those that the identity index names for a certificate, or why it cannot be looked up. */
type Candidates = readonly Candidate[] | { readonly reason: string };

/** Of one identity, and of one certificate. A set in Redis can have millions. */
const MAX_CANDIDATES = 256;

/** Finds the clients of a certificate by the identity index in Redis, cached until Redis reports a change. */
export class CertificateLookup {
  /** By thumbprint and version: after a change of any of its identities, the certificate is looked up again. */
  readonly cache: NearCache<Candidates, PresentedIdentity>;
  readonly #options: CertificateLookupOptions;
  /** For certificates that are parsed once and presented often: hashing their names takes longer than a cached lookup. */
  readonly #counters = new WeakMap<ClientCertificate, Uint32Array>();

  constructor(options: CertificateLookupOptions) {
    this.#options = options;
    this.cache = new NearCache({ ...options.caching, load: (_, presented) => this.#load(presented) });
  }

  /**
   * @throws {OAuthError} temporarily_unavailable if a lookup fails; invalid_client if the certificate has too many
   *   identities or candidates, or if the record of one of these is invalid
   */
  async find(presented: PresentedIdentity): Promise<readonly Client[]> {
    const { clients, changes } = this.#options;
    const { certificate, hasVerifiedChain } = presented;
    const version = changes.version(this.#countersOf(certificate));
    const key = `${certificate.thumbprint}.${version}${hasVerifiedChain ? '' : '.unverified'}`;
    const candidates = this.cache.findCached(key, presented) ?? (await this.#findUncached(key, presented));
    if ('reason' in candidates) throw invalidClient('certificate_identities_excessive', candidates.reason);
    const stored = await all(candidates.map((candidate) => candidate.find(clients, changes)));
    const invalid = stored.flatMap((each) => (each.kind === 'invalid' ? [each.reason] : []));
    // The certificate of such a client must not become that of another one, of a pattern for example.
    if (invalid.length > 0) throw invalidClient('client_record_invalid', abbreviate(invalid.join('; ')));
    return stored.flatMap((each) => (each.kind === 'record' ? [each.record] : []));
  }

  async #findUncached(key: string, presented: PresentedIdentity): Promise<Candidates> {
    try {
      return await this.cache.find(key, presented);
    } catch (error) {
      const { thumbprint } = presented.certificate;
      throw lookupFailed(`the clients of the certificate with thumbprint ${thumbprint}`, error);
    }
  }

  #countersOf(certificate: ClientCertificate): Uint32Array {
    const known = this.#counters.get(certificate);
    if (known) return known;
    const { prefix } = this.#options;
    const counters = Uint32Array.from(certificateKeys(certificate), (key) => counterOf(`${prefix}${key}`));
    this.#counters.set(certificate, counters);
    return counters;
  }

  async #load({ certificate, hasVerifiedChain }: PresentedIdentity): Promise<LoadResult<Candidates>> {
    const { redis, execute, prefix, dataLoss } = this.#options;
    const identityKeys = certificateKeys(certificate);
    const keys = identityKeys.map((key) => `${prefix}${key}`);
    const sets = await unlessLost(dataLoss, async () => {
      const found = await readSmallSets({ size: redis.executeOptional, members: execute }, keys, MAX_CANDIDATES);
      return found.every((set) => set.length === 0) ? undefined : found;
    });
    return toLoadResult(this.#candidatesIn(sets ?? [], identityKeys), hasVerifiedChain);
  }

  /** @param sets of the identities, in their order */
  #candidatesIn(sets: readonly SmallSet[], identityKeys: readonly string[]): Candidates {
    const { clients, prefix } = this.#options;
    const named: { readonly clientId: string; readonly identityKey: string }[] = [];
    for (const [index, set] of sets.entries()) {
      const identityKey = identityKeys[index] ?? '';
      if (set === 'oversized') return { reason: tooMany(`the index entry ${prefix}${identityKey} names`) };
      for (const clientId of set.filter(isClientId)) named.push({ clientId, identityKey });
    }
    const byClient = Map.groupBy(named, ({ clientId }) => clientId);
    if (byClient.size > MAX_CANDIDATES) return { reason: tooMany('the identities of the certificate belong to') };
    return [...byClient.keys()].sort().map((clientId) => {
      const keys = (byClient.get(clientId) ?? []).map(({ identityKey }) => identityKey);
      return new Candidate(clientId, keys, counterOf(`${clients.prefix}${clientId}`));
    });
  }
}

function tooMany(subject: string): string {
  return `${subject} more than ${MAX_CANDIDATES} clients, which are too many to compare with one certificate`;
}

/** What clients can make grow at will counts as absent, which is cached separately. */
function toLoadResult(candidates: Candidates, hasVerifiedChain: boolean): LoadResult<Candidates> {
  if ('reason' in candidates) return { kind: 'absent', value: candidates, bytes: candidates.reason.length };
  const isGenuine = hasVerifiedChain || candidates.some(({ isRegisteredByKey }) => isRegisteredByKey);
  const bytes = candidates.reduce((sum, candidate) => sum + candidate.bytes, 0);
  return { kind: candidates.length > 0 && isGenuine ? 'present' : 'absent', value: candidates, bytes };
}

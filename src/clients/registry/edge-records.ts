import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import type { CommandExecutor, GuardedRedis } from '../../redis/guarded-redis.ts';
import type { Client } from '../client.ts';
import { type PermissionHandler, reportingDenials } from './acl-permission.ts';
import { CertificateLookup } from './certificate-lookup.ts';
import { ChangeCounters } from './change-counters.ts';
import type { DataLossDetector } from './data-loss.ts';
import type { Caching, RecordCache } from './record-cache.ts';
import type { CacheState, RegistryKeys } from './registry.ts';

interface EdgeRecordsOptions {
  readonly redis: GuardedRedis;
  readonly keys: RegistryKeys;
  readonly clients: RecordCache<Client>;
  readonly dataLoss: DataLossDetector;
  /** That of the clients. */
  readonly caching: Caching;
  readonly onPermission: PermissionHandler;
}

/** What only the edge reads from Redis: the clients of a certificate. */
export class EdgeRecords {
  readonly #identityPrefix: string;
  readonly #changes = new ChangeCounters();
  readonly #certificates: CertificateLookup;
  readonly #execute: CommandExecutor;

  constructor(options: EdgeRecordsOptions) {
    const { redis, keys, caching, onPermission } = options;
    this.#identityPrefix = keys.identityPrefix;
    this.#execute = reportingDenials(redis, `%R~${keys.identityPrefix}* +smembers +scard`, onPermission);
    this.#certificates = new CertificateLookup({
      ...options,
      execute: this.#execute,
      prefix: keys.identityPrefix,
      changes: this.#changes,
      // A few bytes for each certificate, and several certificates for some clients.
      caching: { ...caching, bounds: { ...caching.bounds, bytes: caching.bounds.bytes / 2 } },
    });
  }

  /** The cache of lookups by certificate. */
  get certificateCache(): CacheState {
    const { size, counts } = this.#certificates.cache;
    return { ...size, ...counts };
  }

  /** As {@link CertificateLookup.find}. */
  findByCertificate(certificate: ClientCertificate, hasVerifiedChain: boolean): Promise<readonly Client[]> {
    return this.#certificates.find({ certificate, hasVerifiedChain });
  }

  /** @param key of any record or identity that has changed */
  invalidate(key: string): void {
    this.#changes.increment(key);
  }

  markAllStale(): void {
    this.#certificates.cache.markAllStale();
  }

  /** No identity has an empty name. */
  startPermissionCheck(): void {
    this.#execute((redis) => redis.smembers(this.#identityPrefix)).catch(() => {});
  }
}

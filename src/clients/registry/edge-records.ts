import type { Bounds } from '../../cache/bounded-cache.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { AclDeniedError, type CommandExecutor, type GuardedRedis } from '../../redis/guarded-redis.ts';
import type { Resource } from '../../resources/resource.ts';
import { parseStoredResource } from '../../resources/stored-resource.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { CertificateLookup } from './certificate-lookup.ts';
import { ChangeCounters } from './change-counters.ts';
import type { DataLossDetector } from './data-loss.ts';
import { type Caching, RecordCache, requireValid } from './record-cache.ts';
import type { CacheState, RegistryKeys } from './registry.ts';

interface EdgeRecordsOptions {
  readonly redis: GuardedRedis;
  readonly keys: RegistryKeys;
  readonly clients: RecordCache<Client>;
  readonly dataLoss: DataLossDetector;
  readonly policy: RegistrationPolicy;
  /** That of the clients. */
  readonly caching: Caching;
  readonly onPermission: EdgePermissionHandler;
}

/**
 * Called on changes.
 *
 * @param rule the part of the ACL that the edge needs
 * @param problem why Redis denies a command; undefined once it permits it
 */
export type EdgePermissionHandler = (rule: string, problem: string | undefined) => void;

/** Resources are few, and each is configured in a proxy. */
const RESOURCE_BOUNDS: Bounds = { entries: 10_000, bytes: 8 * 1024 * 1024 };

/** What only the edge reads from Redis: the clients of a certificate, and resources. */
export class EdgeRecords {
  readonly #keys: RegistryKeys;
  readonly #changes = new ChangeCounters();
  readonly #certificates: CertificateLookup;
  readonly #resources: RecordCache<Resource>;
  readonly #executeSets: CommandExecutor;
  readonly #executeResources: CommandExecutor;

  constructor(options: EdgeRecordsOptions) {
    const { redis, keys, policy, caching, onPermission } = options;
    const executor = (rule: string) => reportingDenials(redis, (problem) => onPermission(rule, problem));
    this.#keys = keys;
    this.#executeSets = executor(`%R~${keys.identityPrefix}* +smembers +scard`);
    this.#executeResources = executor(`%R~${keys.resourcePrefix}*`);
    this.#certificates = new CertificateLookup({
      ...options,
      execute: this.#executeSets,
      prefix: keys.identityPrefix,
      changes: this.#changes,
      // A few bytes for each certificate, and several certificates for some clients.
      caching: { ...caching, bounds: { ...caching.bounds, bytes: caching.bounds.bytes / 2 } },
    });
    this.#resources = new RecordCache(
      {
        ...options,
        kind: 'resource',
        execute: this.#executeResources,
        prefix: keys.resourcePrefix,
        parse: (name, record) => {
          const parsed = parseStoredResource(name, record, policy);
          return parsed.ok ? { ok: true, record: parsed.resource } : parsed;
        },
      },
      { ...caching, bounds: RESOURCE_BOUNDS },
    );
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

  /** @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_target if the value is not a valid record */
  async findResource(name: string): Promise<Resource | undefined> {
    return requireValid(await this.#resources.find(name), invalidResource);
  }

  /** @param key of any record or identity that has changed */
  invalidate(key: string): void {
    const { resourcePrefix } = this.#keys;
    this.#changes.increment(key);
    if (key.startsWith(resourcePrefix)) this.#resources.cache.invalidate(key.slice(resourcePrefix.length));
  }

  markAllStale(): void {
    this.#certificates.cache.markAllStale();
    this.#resources.cache.markAllStale();
  }

  /** No identity and no resource has an empty name. */
  startPermissionCheck(): void {
    const { identityPrefix, resourcePrefix } = this.#keys;
    this.#executeSets((redis) => redis.smembers(identityPrefix)).catch(() => {});
    this.#executeResources((redis) => redis.get(resourcePrefix)).catch(() => {});
  }
}

function invalidResource(reason: string): OAuthError {
  return new OAuthError('invalid_target', { description: 'The requested resource is not available.', reason });
}

/** Reports when the ACL denies a command, and when it permits one again. */
function reportingDenials(
  { executeOptional }: GuardedRedis,
  report: (problem: string | undefined) => void,
): CommandExecutor {
  let isDenied = false;
  return async (command) => {
    try {
      const reply = await executeOptional(command);
      if (isDenied) report(undefined);
      isDenied = false;
      return reply;
    } catch (error) {
      if (error instanceof AclDeniedError && !isDenied) {
        isDenied = true;
        report(error.message);
      }
      throw error;
    }
  };
}

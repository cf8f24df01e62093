import type { Bounds } from '../../cache/bounded-cache.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { CommandExecutor, GuardedRedis } from '../../redis/guarded-redis.ts';
import type { Resource } from '../../resources/resource.ts';
import { parseStoredResource } from '../../resources/stored-resource.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { type PermissionHandler, reportingDenials } from './acl-permission.ts';
import { AudienceLookup } from './audience-lookup.ts';
import type { DataLossDetector } from './data-loss.ts';
import { type Caching, RecordCache, requireValid } from './record-cache.ts';
import type { RegistryKeys } from './registry.ts';

interface ResourceRecordsOptions {
  readonly redis: GuardedRedis;
  readonly keys: RegistryKeys;
  readonly dataLoss: DataLossDetector;
  readonly policy: RegistrationPolicy;
  /** That of the clients. */
  readonly caching: Caching;
  /** Of the records. */
  readonly onPermission: PermissionHandler;
  /** Of the lookup by audience, which needs the records as well. */
  readonly onAudiencePermission: PermissionHandler;
}

/** Resources are few, and each is configured in a proxy. */
const BOUNDS: Bounds = { entries: 10_000, bytes: 8 * 1024 * 1024 };

/** The resources in Redis, by name and by audience, cached until Redis reports a change. */
export class ResourceRecords {
  readonly #prefix: string;
  readonly #records: RecordCache<Resource>;
  readonly #audiences: AudienceLookup;
  readonly #execute: CommandExecutor;

  constructor(options: ResourceRecordsOptions) {
    const { redis, keys, policy, caching, onPermission, onAudiencePermission } = options;
    const ofRecords = `%R~${keys.resourcePrefix}*`;
    this.#prefix = keys.resourcePrefix;
    this.#execute = reportingDenials(redis, ofRecords, onPermission);
    this.#records = new RecordCache(
      {
        ...options,
        kind: 'resource',
        execute: this.#execute,
        prefix: this.#prefix,
        parse: (name, record) => {
          const parsed = parseStoredResource(name, record, policy);
          return parsed.ok ? { ok: true, record: parsed.resource } : parsed;
        },
      },
      { ...caching, bounds: BOUNDS },
    );
    const ofAudiences = `%R~${keys.audiencePrefix}* ${ofRecords} +smembers +scard`;
    this.#audiences = new AudienceLookup({
      ...options,
      execute: reportingDenials(redis, ofAudiences, onAudiencePermission),
      prefix: keys.audiencePrefix,
      resources: this.#records,
    });
  }

  /** @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_target if the value is not a valid record */
  async find(name: string): Promise<Resource | undefined> {
    return requireValid(await this.#records.find(name), invalidResource);
  }

  /**
   * As {@link AudienceLookup.find}.
   *
   * @throws {OAuthError} also invalid_target if there are too many, or if the record of one of them is invalid
   */
  async findByAudience(audience: string): Promise<readonly Resource[]> {
    const found = await this.#audiences.find(audience);
    if ('reason' in found) throw invalidResource(found.reason);
    return found;
  }

  /** @param key of any record or index entry that has changed */
  invalidate(key: string): void {
    this.#audiences.invalidate(key);
    if (!key.startsWith(this.#prefix)) return;
    this.#records.cache.invalidate(key.slice(this.#prefix.length));
    this.#audiences.markAllStale();
  }

  markAllStale(): void {
    this.#records.cache.markAllStale();
    this.#audiences.markAllStale();
  }

  /** No resource has an empty name. */
  startPermissionCheck(): void {
    this.#execute((redis) => redis.get(this.#prefix)).catch(() => {});
  }
}

function invalidResource(reason: string): OAuthError {
  return new OAuthError('resource_record_invalid', { description: 'The requested resource is not available.', reason });
}

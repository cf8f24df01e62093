import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Client } from '../client.ts';

/** The store of clients. All implementations pass the same conformance suite. */
export interface Registry {
  /** Kind and location of the store, for the startup line and for logs. Never contains a password. */
  readonly description: string;
  /**
   * Finds a client, also a disabled one.
   *
   * @param clientId has passed `isClientId`
   * @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_client if the stored value is not a valid
   *   record of this client
   */
  find(clientId: string): Promise<Client | undefined>;
  /**
   * Finds the clients that are registered by an identity of this certificate, also disabled ones. They are candidates:
   * each client's record decides whether the certificate authenticates it.
   *
   * @param hasVerifiedChain otherwise the certificate can contain any name: unless it is registered by its thumbprint or
   *   key, the result is cached briefly, so that a flood of such certificates evicts no others
   * @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_client if the certificate has too many
   *   identities or candidates, or if the record of one of them is invalid
   */
  findByCertificate(certificate: ClientCertificate, hasVerifiedChain: boolean): Promise<readonly Client[]>;
  /**
   * Finds a resource.
   *
   * @param name has passed `isResourceName`
   * @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_target if the stored value is not a valid
   *   record of this resource
   */
  findResource(name: string): Promise<Resource | undefined>;
  /**
   * Finds the resources whose tokens have this `aud` or an equivalent one, sorted by name. There may be none: an audience needs no record.
   *
   * @param audience any text, such as a value of `aud`
   * @throws {OAuthError} temporarily_unavailable if the lookup fails; invalid_target if there are too many, or if the
   *   record of one of them is invalid
   */
  findResourcesByAudience(audience: string): Promise<readonly Resource[]>;
  /** Why no request can succeed at the moment; undefined if requests can. */
  readonly notReadyReason: string | undefined;
  /** Undefined for a store in this process. */
  readonly remote: RemoteState | undefined;
  close(): Promise<void>;
}

/** The state of a remote store and its cache of clients. */
export interface RemoteState extends CacheState {
  readonly isUp: boolean;
  /** The source of invalidations: Redis itself, only `countersign clients`, or none. */
  readonly invalidationMode: 'tracking' | 'pubsub' | 'none';
  /** The cache of lookups by certificate; undefined without an edge. */
  readonly certificates: CacheState | undefined;
}

/** Lookups are counted since the start. */
export interface CacheState {
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
}

/** Redis keys and channels of the registry; docs/manage-clients.md lists each with its value and lifetime. */
export interface RegistryKeys {
  /** The `client_id` follows. The value is the record, JSON. */
  readonly clientPrefix: string;
  /** The key of an identity follows. The value is a set of `client_id`s. */
  readonly identityPrefix: string;
  /** The name of a resource follows. The value is the record, JSON. */
  readonly resourcePrefix: string;
  /** The key of an audience follows. The value is a set of names of resources. */
  readonly audiencePrefix: string;
  /** Exists once `countersign clients` has written records. If it is gone, Redis has lost its data. */
  readonly marker: string;
  /** The lock of `clients apply`. */
  readonly applyLock: string;
  /** Writers publish the keys that they change. */
  readonly changesChannel: string;
}

/** @param prefix such as `countersign:` */
export function registryKeys(prefix: string): RegistryKeys {
  return {
    clientPrefix: `${prefix}client:`,
    identityPrefix: `${prefix}identity:`,
    resourcePrefix: `${prefix}resource:`,
    audiencePrefix: `${prefix}audience:`,
    marker: `${prefix}registry`,
    applyLock: `${prefix}apply`,
    changesChannel: `${prefix}changes`,
  };
}

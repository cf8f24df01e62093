import { type BoundedCache, createBoundedCache } from '../cache/bounded-cache.ts';
import type { Client } from '../clients/client.ts';
import type { Resource } from '../resources/resource.ts';
import type { Keyring, PublishedKey } from '../tokens/keyring/keyring.ts';
import type { ApprovedToken } from './approval.ts';

/** A token that was minted, and the response that contains it. */
export interface MintedToken {
  /** The records that it was minted from: an entry counts only for these objects. */
  readonly client: Client;
  readonly resource: Resource;
  /** The key that signed it: an entry counts only while it is published. */
  readonly key: PublishedKey;
  readonly headers: readonly string[];
  readonly token: ApprovedToken;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What a token depends on, apart from the records. */
export interface MintedKey {
  /** Thumbprint of the caller's certificate. */
  readonly thumbprint: string;
  readonly resource: Resource;
  /** The `x5t#S256` of the token; undefined if it has none. */
  readonly confirmation: string | undefined;
}

const BOUNDS = { entries: 20_000, bytes: 64 * 1024 * 1024 };
const ENTRY_OVERHEAD_BYTES = 1_000;

/**
 * Caches minted tokens until half of their lifetime. The caller authenticates the client before each use, so an entry
 * only saves the signature.
 */
export class MintedTokens {
  readonly #cache: BoundedCache<MintedToken>;
  readonly #keyring: Pick<Keyring, 'find'>;

  constructor(keyring: Pick<Keyring, 'find'>, bounds = BOUNDS) {
    this.#keyring = keyring;
    this.#cache = createBoundedCache(bounds);
  }

  /** @param now milliseconds since the epoch */
  find(key: MintedKey, client: Client, now: number): MintedToken | undefined {
    const minted = this.#cache.get(cacheKey(key));
    const isCurrent = minted?.client === client && minted.resource === key.resource && isFresh(minted, now);
    return isCurrent && this.#isPublished(minted.key) ? minted : undefined;
  }

  /** After an emergency rotation, its tokens are rejected. */
  #isPublished(key: PublishedKey): boolean {
    return this.#keyring.find(key.keyId) === key;
  }

  store(key: MintedKey, minted: MintedToken): void {
    const text = cacheKey(key);
    const characters = minted.headers.reduce((sum, { length }) => sum + length, text.length);
    this.#cache.set(text, minted, characters + ENTRY_OVERHEAD_BYTES);
  }
}

/** Not before it was issued either: the clock may have been set back. */
function isFresh({ issuedAt, expiresAt }: MintedToken, now: number): boolean {
  const seconds = now / 1_000;
  return issuedAt <= seconds && seconds < (issuedAt + expiresAt) / 2;
}

function cacheKey({ thumbprint, resource, confirmation = '' }: MintedKey): string {
  return `${thumbprint} ${resource.name} ${confirmation}`;
}

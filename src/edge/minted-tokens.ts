import { type BoundedCache, createBoundedCache } from '../cache/bounded-cache.ts';
import type { Client } from '../clients/client.ts';
import type { Resource } from '../resources/resource.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import type { PublishedKey } from '../tokens/published-key.ts';
import type { RevocableToken, TokenRevocations } from '../tokens/revocation/token-revocations.ts';
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
  /** An entry counts only until the token is revoked, as far as this replica knows. */
  readonly revocable: RevocableToken;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** What decides whether a minted token may still be used. */
interface MintedTokensOptions {
  readonly keyring: Pick<Keyring, 'find'>;
  /** Undefined if tokens cannot be revoked. */
  readonly revocations: Pick<TokenRevocations, 'findKnown'> | undefined;
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
  readonly #options: MintedTokensOptions;

  constructor(options: MintedTokensOptions, bounds = BOUNDS) {
    this.#options = options;
    this.#cache = createBoundedCache(bounds);
  }

  /** @param now milliseconds since the epoch */
  find(key: MintedKey, client: Client, now: number): MintedToken | undefined {
    const minted = this.#cache.get(cacheKey(key));
    const isCurrent = minted?.client === client && minted.resource === key.resource && isFresh(minted, now);
    return isCurrent && this.#isAccepted(minted) ? minted : undefined;
  }

  /** Otherwise introspection rejects the token: after an emergency rotation, or because it is revoked. */
  #isAccepted({ key, revocable }: MintedToken): boolean {
    const { keyring, revocations } = this.#options;
    return keyring.find(key.keyId) === key && revocations?.findKnown(revocable) === undefined;
  }

  store(key: MintedKey, minted: MintedToken): void {
    const text = cacheKey(key);
    const characters = minted.headers.reduce((sum, { length }) => sum + length, text.length);
    this.#cache.set(text, minted, characters + ENTRY_OVERHEAD_BYTES);
  }
}

/** Not before it was issued either: the clock may have been set back. */
function isFresh({ revocable: { issuedAt }, expiresAt }: MintedToken, now: number): boolean {
  const seconds = now / 1_000;
  return issuedAt <= seconds && seconds < (issuedAt + expiresAt) / 2;
}

function cacheKey({ thumbprint, resource, confirmation = '' }: MintedKey): string {
  return `${thumbprint} ${resource.name} ${confirmation}`;
}

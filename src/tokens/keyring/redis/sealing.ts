import { CompactEncrypt, calculateJwkThumbprint, compactDecrypt, decodeProtectedHeader, type JWK } from 'jose';

/**
 * Seals private keys. Called when a version of the keyring is read or written, never for a token, so that a KMS could
 * implement it.
 */
export interface Sealer {
  /** The names of the key-encryption keys. A new keyring is sealed with the first one; each of them unseals. */
  readonly names: readonly [string, ...string[]];
  /**
   * @param name of the key-encryption key
   * @returns a JWE in the compact serialization, whose header contains the name as `kid`
   */
  seal(privateJwk: JWK, name: string): Promise<string>;
  /** @throws {SealError} */
  unseal(sealed: string): Promise<JWK>;
}

/** The private key cannot be unsealed. The message states why, and contains no secret. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** The key-encryption key is another one: what is sealed may be intact. */
export class UnknownKeyEncryptionKeyError extends SealError {}

/**
 * Seals with AES-256-GCM, used directly (JWE `dir`, RFC 7518 §4.5 and §5.3). Each seal has a random nonce of 96 bits; a
 * keyring seals a few keys a month.
 *
 * @param keys 32 bytes each
 * @param setting the variable that holds them or names their file, without the prefix; for messages
 */
export async function createSealer(keys: readonly [Uint8Array, ...Uint8Array[]], setting: string): Promise<Sealer> {
  const [first, ...others] = await Promise.all(keys.map(nameKey));
  // There is one name for each key, and at least one key.
  const named = [first, ...others] as readonly [NamedKey, ...NamedKey[]];
  const find = (name: unknown) => named.find((each) => each.name === name)?.key;
  const [{ name: nameOfFirst }, ...rest] = named;
  const unknownKey = (name: string) =>
    new UnknownKeyEncryptionKeyError(
      `sealed with the key-encryption key ${name}, and COUNTERSIGN_${setting} has ${named.map((each) => each.name).join(' and ')}`,
    );
  return {
    names: [nameOfFirst, ...rest.map(({ name }) => name)],
    seal: async (privateJwk, name) => {
      const key = find(name);
      if (!key) throw unknownKey(name);
      const plaintext = new TextEncoder().encode(JSON.stringify(privateJwk));
      return new CompactEncrypt(plaintext).setProtectedHeader({ ...header, kid: name }).encrypt(key);
    },
    unseal: async (sealed) => {
      const name = sealedWith(sealed);
      const key = find(name);
      if (!key) throw unknownKey(name);
      return decrypt(sealed, key);
    },
  };
}

const header = { alg: 'dir', enc: 'A256GCM', cty: 'jwk+json' } as const;

interface NamedKey {
  readonly name: string;
  readonly key: Uint8Array;
}

/** Named by the RFC 7638 thumbprint, which reveals nothing about 32 random bytes. */
async function nameKey(key: Uint8Array): Promise<NamedKey> {
  return { name: await calculateJwkThumbprint({ kty: 'oct', k: Buffer.from(key).toString('base64url') }), key };
}

/**
 * The name of the key-encryption key that a private key is sealed with.
 *
 * @throws {SealError}
 */
export function sealedWith(sealed: string): string {
  try {
    const { kid } = decodeProtectedHeader(sealed);
    if (typeof kid === 'string' && /^[\w-]{1,100}$/.test(kid)) return kid;
  } catch {
    // Not a JWE at all.
  }
  throw new SealError('not a JWE that names its key-encryption key');
}

async function decrypt(sealed: string, key: Uint8Array): Promise<JWK> {
  const algorithms = { keyManagementAlgorithms: [header.alg], contentEncryptionAlgorithms: [header.enc] };
  try {
    const { plaintext } = await compactDecrypt(sealed, key, algorithms);
    // Encrypted by `seal`, which only accepts a JWK: the encryption is authenticated.
    return JSON.parse(new TextDecoder().decode(plaintext)) as JWK;
  } catch {
    throw new SealError('not sealed with the key-encryption key that it names, or damaged');
  }
}

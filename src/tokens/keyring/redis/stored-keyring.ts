import type { JWK } from 'jose';
import { type SigningAlgorithm, signingAlgorithmNames } from '../../algorithms/signing-algorithm.ts';
import type { ScheduledKey } from '../lifecycle.ts';

/** A key pair without a schedule, its private key sealed. */
export interface SealedKey {
  /** The RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: JWK;
  /** The private key: a JWE in the compact serialization (RFC 7516 §3.1). */
  readonly sealed: string;
}

/** A key of the keyring in Redis. Infinite `signsFrom`: no rotation to it is scheduled. */
export interface StoredKey extends SealedKey, ScheduledKey {
  /** Since when every server publishes it, in milliseconds since the epoch. */
  readonly publishedAt: number;
}

/** The value of `{prefix}keyring`. Never modified. */
export interface StoredKeyring {
  /** Random, chosen by `countersign keys create`. */
  readonly id: string;
  /** Milliseconds since the epoch. A keyring replaces those that were created before it. */
  readonly createdAt: number;
  /** Of the keyring with this id; increases with each change. */
  readonly version: number;
  /** The servers' own algorithm, unless a server sets another one. */
  readonly algorithm: SigningAlgorithm;
  /** Of each algorithm, in the order in which they were published. */
  readonly keys: readonly StoredKey[];
}

/** The text is not a keyring that this version of Countersign reads. The message states why, and never quotes a key. */
export class StoredKeyringError extends Error {
  override readonly name = 'StoredKeyringError';
}

const FORMAT = 1;
/** Thousands of elliptic-curve keys. */
export const MAX_KEYRING_CHARACTERS = 1024 * 1024;
/** Far from the largest integer that a double represents exactly. */
const MAX_VERSION = 2 ** 52;

/** Whether one keyring is older than the other, so that servers that hold the other write it back. */
export function isOlder(one: StoredKeyring, other: StoredKeyring): boolean {
  return one.id === other.id ? one.version < other.version : one.createdAt < other.createdAt;
}

/** As JSON, with the times in RFC 3339. */
export function serializeKeyring({ id, createdAt, version, algorithm, keys }: StoredKeyring): string {
  const created = { id, created_at: new Date(createdAt).toISOString() };
  return JSON.stringify({ format: FORMAT, ...created, version, algorithm, keys: keys.map(serializeKey) });
}

function serializeKey({ keyId, algorithm, publicJwk, sealed, publishedAt, signsFrom }: StoredKey) {
  return {
    kid: keyId,
    alg: algorithm,
    jwk: publicJwk,
    sealed,
    published_at: new Date(publishedAt).toISOString(),
    signs_from: signsFrom === Number.POSITIVE_INFINITY ? null : new Date(signsFrom).toISOString(),
  };
}

/**
 * Parses the value. What the keys contain is checked where they are unsealed.
 *
 * @throws {StoredKeyringError}
 */
export function parseKeyring(text: string): StoredKeyring {
  if (text.length > MAX_KEYRING_CHARACTERS) throw new StoredKeyringError(`it has ${text.length} characters`);
  const value = requireObject(parseJson(text), 'it');
  if (value.format !== FORMAT) {
    const isNewer = typeof value.format === 'number' && value.format > FORMAT;
    const written = isNewer ? ': a newer version of Countersign has written it' : '';
    throw new StoredKeyringError(`its "format" is ${describe(value.format)}, not ${FORMAT}${written}`);
  }
  const { version, keys } = value;
  if (!Number.isSafeInteger(version) || typeof version !== 'number' || version < 1 || version > MAX_VERSION)
    throw new StoredKeyringError(`its "version" is ${describe(version)}, not a positive integer`);
  if (!Array.isArray(keys) || keys.length === 0) throw new StoredKeyringError('it has no "keys"');
  const parsed = keys.map((key: unknown, index) => parseKey(key, `keys[${index}]`));
  const duplicate = parsed.find(({ keyId }, index) => parsed.findIndex((key) => key.keyId === keyId) !== index);
  if (duplicate) throw new StoredKeyringError(`two keys have the "kid" ${duplicate.keyId}`);
  return {
    id: requireToken(value.id, '"id"'),
    createdAt: requireTime(value.created_at, '"created_at"'),
    version,
    algorithm: requireAlgorithm(value.algorithm, '"algorithm"'),
    keys: parsed,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StoredKeyringError('it is not JSON');
  }
}

function parseKey(value: unknown, path: string): StoredKey {
  const key = requireObject(value, path);
  return {
    keyId: requireToken(key.kid, `${path}.kid`),
    algorithm: requireAlgorithm(key.alg, `${path}.alg`),
    publicJwk: requireObject(key.jwk, `${path}.jwk`),
    sealed: requireToken(key.sealed, `${path}.sealed`),
    publishedAt: requireTime(key.published_at, `${path}.published_at`),
    signsFrom: key.signs_from === null ? Number.POSITIVE_INFINITY : requireTime(key.signs_from, `${path}.signs_from`),
  };
}

function requireObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  // Any property of an object that is not an array can be read as unknown.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new StoredKeyringError(`${path} is not an object`);
}

/** Base64url, or parts of it joined by periods, as in a JWE. */
function requireToken(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[\w-]+(?:\.[\w-]*)*$/.test(value)) return value;
  throw new StoredKeyringError(`${path} is not base64url`);
}

function requireAlgorithm(value: unknown, path: string): SigningAlgorithm {
  const known = signingAlgorithmNames.find((name) => name === value);
  if (known) return known;
  throw new StoredKeyringError(`${path} is ${describe(value)}, which is not a supported signing algorithm`);
}

function requireTime(value: unknown, path: string): number {
  const time = typeof value === 'string' && RFC_3339_UTC.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new StoredKeyringError(`${path} is not a time such as 2026-11-01T00:00:00Z`);
}

const RFC_3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/** A short value as JSON; longer ones may hold a key. */
function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length <= 40 ? text : 'another value';
}

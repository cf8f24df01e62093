import { type KeyObject, randomBytes } from 'node:crypto';
import type { TimedValue, TimedValueStore } from '../../../redis/commands/timed-value.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { generatePrivateKey } from '../../generate-key.ts';
import { privateJwkOf, publicJwkOf } from '../../key-jwk.ts';
import type { RotationPolicy } from '../key-policy.ts';
import {
  createdKeyring,
  KeyringChangeError,
  maintained,
  missingNextKeys,
  NoKeyringError,
  resealed,
  withAlgorithm,
  withNextKeys,
} from './changes.ts';
import { type Sealer, sealedWith } from './sealing.ts';
import {
  parseKeyring,
  type SealedKey,
  type StoredKeyring,
  StoredKeyringError,
  serializeKeyring,
} from './stored-keyring.ts';

/** What every change needs. */
export interface ChangeOptions {
  readonly store: TimedValueStore;
  readonly sealer: Sealer;
  readonly policy: RotationPolicy;
  /**
   * Checks the keyring before it is changed: a key that does not belong there would be written again.
   *
   * @throws {Error} if it must not be changed
   */
  readonly verify: (keyring: StoredKeyring, text: string) => void | Promise<void>;
}

/** The keyring before and after a change, the same object if nothing had to be changed. */
export interface KeyringChange {
  readonly before: StoredKeyring;
  readonly after: StoredKeyring;
  /** When it was changed, by the clock of Redis, in milliseconds since the epoch. */
  readonly time: number;
}

/** @param now by the clock of Redis, in milliseconds since the epoch */
type ChangeStep = (keyring: StoredKeyring, now: number) => StoredKeyring | Promise<StoredKeyring>;

/** Each failed attempt means that a server or a command has changed the keyring. */
const MAX_ATTEMPTS = 20;

/**
 * Changes the keyring in Redis, and publishes the next keys that are missing before and after that. Computed again if
 * the keyring has changed meanwhile. Only servers schedule rotations: a command may have other settings.
 *
 * @throws {KeyringChangeError} if there is no keyring, or from the step
 * @throws {StoredKeyringError} if the value is not a valid keyring
 */
export async function changeKeyring(options: ChangeOptions, step: ChangeStep): Promise<KeyringChange> {
  const publishNextKeys = createKeyPublisher(options.sealer);
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const { value, time } = await options.store.read();
    const text = requireValue(value);
    const before = parseKeyring(text);
    await options.verify(before, text);
    const after = await publishNextKeys(await step(await publishNextKeys(before, time), time), time);
    if (after === before) return { before, after, time };
    if (await options.store.replace(text, serialize(after), time)) return { before, after, time };
  }
  throw new KeyringChangeError(CHANGING);
}

/** @throws {KeyringChangeError} if no server would follow it: its version or its size has reached the limit */
function serialize(keyring: StoredKeyring): string {
  const text = serializeKeyring(keyring);
  try {
    parseKeyring(text);
    return text;
  } catch (error) {
    if (!(error instanceof StoredKeyringError)) throw error;
    throw new KeyringChangeError(`servers would reject the changed keyring, because ${error.message}; ${REPLACE}`);
  }
}

const REPLACE = 'stop all servers, delete the key in Redis, and run `countersign keys create`';

const CHANGING = 'the keyring is being changed by others all the time: try again';

interface CreateOptions {
  /** Of the keyring that is created if there is none. */
  readonly first: SigningAlgorithm;
  /** To be added to an existing keyring. */
  readonly algorithm: SigningAlgorithm | undefined;
  /** An existing key for that algorithm, which verifiers know. Default: a new one. */
  readonly privateKey?: KeyObject | undefined;
}

/**
 * Creates the first keyring, or adds an algorithm to the existing one.
 *
 * @throws {KeyringChangeError} if there is a keyring that has the key, or keys for the algorithm
 */
export async function createKeyring(
  options: ChangeOptions,
  { first, algorithm, privateKey }: CreateOptions,
): Promise<KeyringChange | KeyringCreation> {
  const { sealer, policy } = options;
  const makeKey = (alg: SigningAlgorithm, name: string) =>
    privateKey ? sealKey(privateKey, alg, sealer, name) : generateKey(alg, sealer, name);
  const created = await createFirst(options, await makeKey(first, sealer.names[0]));
  if (created) return created;
  if (algorithm === undefined) throw new KeyringChangeError(EXISTS);
  return changeKeyring(options, async (keyring, now) =>
    withAlgorithm(keyring, await makeKey(algorithm, currentName(keyring)), policy, now),
  );
}

interface KeyringCreation extends Omit<KeyringChange, 'before'> {
  readonly before?: undefined;
}

/** @returns undefined if there is a keyring */
async function createFirst(options: ChangeOptions, key: SealedKey): Promise<KeyringCreation | undefined> {
  const { store, sealer, policy } = options;
  const publishNextKeys = createKeyPublisher(sealer);
  const id = randomBytes(16).toString('base64url');
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const { value, time } = await store.read();
    if (value.type !== 'none') return undefined;
    const complete = await publishNextKeys(createdKeyring(id, key, time), time);
    const after = maintained(complete, [], policy, time);
    if (await store.replace(undefined, serializeKeyring(after), time)) return { after, time };
  }
  throw new KeyringChangeError(CHANGING);
}

const EXISTS = 'there is a keyring: rotate its keys with `countersign keys rotate`, or add an algorithm with --alg';

/** Seals every private key with the first key-encryption key. */
export async function resealedKeyring(keyring: StoredKeyring, sealer: Sealer): Promise<StoredKeyring> {
  const [first] = sealer.names;
  const others = keyring.keys.filter(({ sealed }) => sealedWith(sealed) !== first);
  const seal = async ({ keyId, sealed }: SealedKey) =>
    [keyId, await sealer.seal(await sealer.unseal(sealed), first)] as const;
  return resealed(keyring, new Map(await Promise.all(others.map(seal))));
}

function requireValue(value: TimedValue['value']): string {
  if (value.type === 'string') return value.text;
  if (value.type === 'none') throw new NoKeyringError();
  throw new KeyringChangeError(`the key of the keyring holds a ${value.name}: delete it`);
}

/** Keys that one attempt has generated are used by the next one. */
function createKeyPublisher(sealer: Sealer) {
  const generated = new Map<SigningAlgorithm, SealedKey>();
  const take = async (keyring: StoredKeyring, algorithm: SigningAlgorithm): Promise<SealedKey> => {
    const isUsed = (key: SealedKey) => keyring.keys.some(({ keyId }) => keyId === key.keyId);
    const known = generated.get(algorithm);
    if (known && !isUsed(known)) return known;
    const key = await generateKey(algorithm, sealer, currentName(keyring));
    generated.set(algorithm, key);
    return key;
  };
  return async (keyring: StoredKeyring, now: number): Promise<StoredKeyring> => {
    const fresh = await Promise.all(missingNextKeys(keyring, now).map((algorithm) => take(keyring, algorithm)));
    return withNextKeys(keyring, fresh, now);
  };
}

/** One key-encryption key seals all keys, until `keys reseal`: every server can unseal them while its file changes. */
function currentName({ keys }: StoredKeyring): string {
  // A keyring has at least one key.
  return sealedWith(keys.at(-1)?.sealed ?? '');
}

async function generateKey(algorithm: SigningAlgorithm, sealer: Sealer, name: string): Promise<SealedKey> {
  return sealKey(await generatePrivateKey(algorithm), algorithm, sealer, name);
}

async function sealKey(key: KeyObject, algorithm: SigningAlgorithm, sealer: Sealer, name: string): Promise<SealedKey> {
  const publicJwk = await publicJwkOf(key, algorithm);
  const sealed = await sealer.seal(await privateJwkOf(key, algorithm), name);
  return { keyId: publicJwk.kid, algorithm, publicJwk, sealed };
}

import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** A kind of key, which may suit several algorithms. */
export interface KeyKind {
  readonly suits: (key: KeyObject) => boolean;
  /**
   * Generates a private key in the thread pool.
   *
   * @throws {Error} when the runtime does not have this kind of key
   */
  readonly generate: () => Promise<KeyObject>;
}

/** Not imported: it takes 5 ms to load, and the help of every command needs the names of the algorithms. */
const generatePair = () => promisify(process.getBuiltinModule('node:crypto').generateKeyPair);

export function ecKey(namedCurve: string): KeyKind {
  return {
    suits: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === namedCurve,
    generate: async () => (await generatePair()('ec', { namedCurve })).privateKey,
  };
}

export const ed25519Key: KeyKind = {
  suits: (key) => key.asymmetricKeyType === 'ed25519',
  generate: async () => (await generatePair()('ed25519')).privateKey,
};

/** As strong as P-256 (NIST SP 800-57 part 1, table 2). Shorter keys can be imported. */
const GENERATED_MODULUS_LENGTH = 3072;

export const rsaKey: KeyKind = {
  suits: (key) => key.asymmetricKeyType === 'rsa',
  generate: async () => (await generatePair()('rsa', { modulusLength: GENERATED_MODULUS_LENGTH })).privateKey,
};

export function mlDsaKey(type: 'ml-dsa-44' | 'ml-dsa-65'): KeyKind {
  return {
    suits: (key) => key.asymmetricKeyType === type,
    generate: async () => (await generatePair()(type)).privateKey,
  };
}

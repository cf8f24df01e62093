import { createDecipheriv } from 'node:crypto';
import { type BerElement, BerTag, bytesOf, countOf, parseBer } from '../ber.ts';
import { FileContentError } from '../file-content-error.ts';
import {
  algorithmOf,
  type Digest,
  deriveLegacy,
  derivePbkdf2,
  type IterationBudget,
  KeyPurpose,
  unsupported,
} from './derive-key.ts';
import type { Password } from './password.ts';

/** A block cipher in CBC mode, as `node:crypto` names it, with the sizes of its key and its block in bytes. */
interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

const PBES2 = '1.2.840.113549.1.5.13';

/** The encryption schemes of PBES2 (RFC 8018 appendix B.2) by object identifier. */
const ciphers: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

/** The older schemes of PKCS #12 (RFC 7292 appendix C), all with SHA-1. Node.js lacks RC2 and RC4. */
const legacySchemes: Readonly<Record<string, Cipher | string>> = {
  '1.2.840.113549.1.12.1.1': 'RC4',
  '1.2.840.113549.1.12.1.2': 'RC4',
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
  '1.2.840.113549.1.12.1.4': { name: 'des-ede-cbc', keyBytes: 16, ivBytes: 8 },
  '1.2.840.113549.1.12.1.5': 'RC2',
  '1.2.840.113549.1.12.1.6': 'RC2 with 40 bits',
};

const sha1: Digest = { name: 'sha1', bytes: 20, blockBytes: 64 };

/**
 * Decrypts a part of a PKCS #12 file.
 *
 * @param algorithm its AlgorithmIdentifier
 * @returns undefined if the password is another one
 * @throws {FileContentError} if the algorithm is not supported, with the command that converts the file
 */
export function decrypt(
  algorithm: BerElement | undefined,
  encrypted: Uint8Array,
  password: Password,
  budget: IterationBudget,
): Uint8Array | undefined {
  const { oid, parameters } = algorithmOf(algorithm);
  const { cipher, key, iv } =
    oid === PBES2 ? modernKey(parameters, password, budget) : legacyKey(oid, parameters, password, budget);
  if (iv.length !== cipher.ivBytes)
    throw new FileContentError('is damaged: an initialization vector has a wrong length');
  try {
    const decipher = createDecipheriv(cipher.name, key, iv);
    const decrypted = Buffer.concat([decipher.update(encrypted), decipher.final()]);
    // With another password, the padding is right once in 256 times.
    return parseBer(decrypted).tag === BerTag.sequence ? decrypted : undefined;
  } catch {
    return undefined;
  }
}

interface CipherKey {
  readonly cipher: Cipher;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** PBES2 (RFC 8018 §6.2): what OpenSSL 3, Java 8u301 and Windows write. */
function modernKey(
  [derivation, scheme]: readonly BerElement[],
  password: Password,
  budget: IterationBudget,
): CipherKey {
  const { oid, parameter } = algorithmOf(scheme);
  const cipher = Object.hasOwn(ciphers, oid) ? ciphers[oid] : undefined;
  if (!cipher || !parameter) throw unsupported(`is encrypted with ${oid}`);
  return { cipher, key: derivePbkdf2(derivation, password, budget, cipher.keyBytes), iv: bytesOf(parameter) };
}

function legacyKey(
  oid: string,
  [salt, iterations]: readonly BerElement[],
  password: Password,
  budget: IterationBudget,
): CipherKey {
  const cipher = Object.hasOwn(legacySchemes, oid) ? legacySchemes[oid] : undefined;
  if (cipher === undefined || typeof cipher === 'string') throw unsupported(`is encrypted with ${cipher ?? oid}`);
  if (!salt || !iterations) throw new FileContentError('is damaged: parameters of its encryption are missing');
  const derivation = { digest: sha1, salt: bytesOf(salt), iterations: budget.spend(countOf(iterations)) };
  const derive = (purpose: 1 | 2, bytes: number) => deriveLegacy({ ...derivation, purpose, bytes }, password);
  const key = derive(KeyPurpose.encryption, cipher.keyBytes);
  return { cipher, key, iv: derive(KeyPurpose.initializationVector, cipher.ivBytes) };
}

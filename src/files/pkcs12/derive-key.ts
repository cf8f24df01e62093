import { hash, pbkdf2Sync } from 'node:crypto';
import { type BerElement, BerTag, bytesOf, countOf, objectIdentifierOf } from '../ber.ts';
import { FileContentError } from '../file-content-error.ts';
import type { Password } from './password.ts';

/** Digests by object identifier, with the size of their blocks in bytes. */
const digests: Readonly<Record<string, Digest>> = {
  '1.3.14.3.2.26': { name: 'sha1', bytes: 20, blockBytes: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', bytes: 28, blockBytes: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', bytes: 32, blockBytes: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', bytes: 48, blockBytes: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', bytes: 64, blockBytes: 128 },
};

export interface Digest {
  readonly name: string;
  readonly bytes: number;
  readonly blockBytes: number;
}

/** The HMACs of RFC 8018 appendix B.1, by object identifier. */
const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const HMAC_SHA1 = '1.2.840.113549.2.7';
const PBKDF2 = '1.2.840.113549.1.5.12';

/** Limits the iterations of all keys that are derived for one file: some seconds of work. */
export class IterationBudget {
  #left = 2_000_000;

  /** @throws {FileContentError} if the file requires more than it may */
  spend(iterations: number): number {
    this.#left -= iterations;
    if (iterations >= 1 && this.#left >= 0) return iterations;
    throw unsupported('requires more than 2,000,000 iterations of its key derivation');
  }
}

/** The AlgorithmIdentifier of an element (RFC 5280 §4.1.1.2). */
export function algorithmOf(element: BerElement | undefined): {
  readonly oid: string;
  readonly parameters: readonly BerElement[];
  readonly parameter: BerElement | undefined;
} {
  const [oid, parameter] = element?.elements ?? [];
  if (oid?.tag !== BerTag.objectIdentifier)
    throw new FileContentError('is damaged: an algorithm identifier is missing');
  return { oid: objectIdentifierOf(oid), parameters: parameter?.elements ?? [], parameter };
}

/** @throws {FileContentError} if it is none of the known digests */
export function digestOf(element: BerElement | undefined): Digest {
  const { oid } = algorithmOf(element);
  const digest = Object.hasOwn(digests, oid) ? digests[oid] : undefined;
  if (!digest) throw unsupported(`uses the digest ${oid}`);
  return digest;
}

/** The name of an HMAC's digest. */
export function hmacOf(element: BerElement | undefined): string {
  const oid = element === undefined ? HMAC_SHA1 : algorithmOf(element).oid;
  const name = Object.hasOwn(hmacs, oid) ? hmacs[oid] : undefined;
  if (name === undefined) throw unsupported(`uses the message authentication code ${oid}`);
  return name;
}

/**
 * PBKDF2 (RFC 8018 §5.2 and appendix A.2) with the parameters of the file.
 *
 * @param bytes the length of the key that a cipher requires; for a code, that of the parameters
 */
export function derivePbkdf2(
  element: BerElement | undefined,
  { utf8 }: Password,
  budget: IterationBudget,
  bytes?: number,
): Buffer {
  const { oid, parameters } = algorithmOf(element);
  if (oid !== PBKDF2) throw unsupported(`derives its keys with ${oid}`);
  const [salt, iterations, ...others] = parameters;
  if (!salt || !iterations) throw new FileContentError('is damaged: parameters of PBKDF2 are missing');
  const stated = others.find(({ tag }) => tag === BerTag.integer);
  const length = bytes ?? (stated && countOf(stated));
  if (length === undefined || length > MAX_KEY_BYTES) throw unsupported('has a key of an unknown length');
  const prf = hmacOf(others.find(({ tag }) => tag === BerTag.sequence));
  return pbkdf2Sync(utf8, bytesOf(salt), budget.spend(countOf(iterations)), length, prf);
}

const MAX_KEY_BYTES = 128;

/** What a key of the older scheme is for: its ID (RFC 7292 appendix B.3). */
export const KeyPurpose = { encryption: 1, initializationVector: 2, integrity: 3 } as const;

export interface LegacyDerivation {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly purpose: (typeof KeyPurpose)[keyof typeof KeyPurpose];
  readonly bytes: number;
}

/** Derives a key as PKCS #12 did before PKCS #5 (RFC 7292 appendix B.2). */
export function deriveLegacy(
  { digest, salt, iterations, purpose, bytes }: LegacyDerivation,
  { bmp }: Password,
): Buffer {
  const { name, blockBytes } = digest;
  const diversifier = Buffer.alloc(blockBytes, purpose);
  const input = Buffer.concat([repeatToBlocks(salt, blockBytes), repeatToBlocks(bmp, blockBytes)]);
  const derived: Buffer[] = [];
  for (let length = 0; length < bytes; length += digest.bytes) {
    let block: Buffer = Buffer.concat([diversifier, input]);
    for (let count = 0; count < iterations; count += 1) block = hash(name, block, 'buffer');
    derived.push(block);
    addToBlocks(input, Buffer.alloc(blockBytes, block));
  }
  return Buffer.concat(derived).subarray(0, bytes);
}

function repeatToBlocks(bytes: Uint8Array, blockBytes: number): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes, bytes);
}

/** Adds a number, and one, to each block of the input. */
function addToBlocks(input: Buffer, summand: Buffer): void {
  for (let start = 0; start < input.length; start += summand.length) {
    let carry = 1;
    for (let at = summand.length - 1; at >= 0; at -= 1) {
      carry += (input[start + at] ?? 0) + (summand[at] ?? 0);
      input[start + at] = carry & 0xff;
      carry >>= 8;
    }
  }
}

/** An algorithm that Node.js or this parser does not have, with the command that converts the file. */
export function unsupported(what: string): FileContentError {
  return new FileContentError(
    `${what}, which is not supported: convert it with openssl pkcs12 -in FILE -legacy -noenc -out client.pem`,
  );
}

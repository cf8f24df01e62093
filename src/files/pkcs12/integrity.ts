import { createHmac, timingSafeEqual } from 'node:crypto';
import { type BerElement, bytesOf, countOf } from '../ber.ts';
import { FileContentError } from '../file-content-error.ts';
import {
  algorithmOf,
  deriveLegacy,
  derivePbkdf2,
  digestOf,
  hmacOf,
  type IterationBudget,
  KeyPurpose,
} from './derive-key.ts';
import type { Password } from './password.ts';

const PBMAC1 = '1.2.840.113549.1.5.14';

/**
 * Whether the password is that of the file's message authentication code (MacData, RFC 7292 §4).
 *
 * @param content the bytes that it authenticates
 * @throws {FileContentError} if its algorithm is not supported
 */
export function isIntact(
  macData: BerElement,
  content: Uint8Array,
  password: Password,
  budget: IterationBudget,
): boolean {
  const [digestInfo, salt, iterations] = macData.elements;
  const [algorithm, expected] = digestInfo?.elements ?? [];
  if (!expected || !salt) throw new FileContentError('is damaged: its message authentication code is incomplete');
  const { name, key } =
    algorithmOf(algorithm).oid === PBMAC1
      ? modernKey(algorithm, password, budget)
      : legacyKey(algorithm, { salt, iterations }, password, budget);
  const actual = createHmac(name, key).update(content).digest();
  const stated = bytesOf(expected);
  return actual.length === stated.length && timingSafeEqual(actual, stated);
}

interface MacKey {
  /** Of the digest. */
  readonly name: string;
  readonly key: Uint8Array;
}

/** PBMAC1 (RFC 9579 §4), whose parameters have the salt. */
function modernKey(algorithm: BerElement | undefined, password: Password, budget: IterationBudget): MacKey {
  const [derivation, hmac] = algorithmOf(algorithm).parameters;
  return { name: hmacOf(hmac), key: derivePbkdf2(derivation, password, budget) };
}

function legacyKey(
  algorithm: BerElement | undefined,
  { salt, iterations }: { readonly salt: BerElement; readonly iterations: BerElement | undefined },
  password: Password,
  budget: IterationBudget,
): MacKey {
  const digest = digestOf(algorithm);
  const count = budget.spend(iterations ? countOf(iterations) : 1);
  const purpose = KeyPurpose.integrity;
  const key = deriveLegacy({ digest, salt: bytesOf(salt), iterations: count, purpose, bytes: digest.bytes }, password);
  return { name: digest.name, key };
}

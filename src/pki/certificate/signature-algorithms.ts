import { constants, type KeyObject, verify } from 'node:crypto';
import { type DerElement, parseObjectIdentifier, Tag } from './der.ts';

/** An algorithm that may sign what others rely on. */
export interface SignatureAlgorithm {
  readonly name: string;
  /** As OpenSSL calls it; null where the algorithm brings its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** Of RSASSA-PSS, in octets. */
  readonly saltLength?: number;
}

/** By object identifier. What is not listed here is not accepted on a verified chain. */
const acceptedAlgorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', hash: 'sha512' },
  '1.3.101.112': { name: 'Ed25519', hash: null },
  '1.3.101.113': { name: 'Ed448', hash: null },
  '2.16.840.1.101.3.4.3.17': { name: 'ML-DSA-44', hash: null },
  '2.16.840.1.101.3.4.3.18': { name: 'ML-DSA-65', hash: null },
  '2.16.840.1.101.3.4.3.19': { name: 'ML-DSA-87', hash: null },
};

const RSASSA_PSS = '1.2.840.113549.1.1.10';

const acceptedPssHashes: Readonly<Record<string, SignatureAlgorithm>> = {
  '2.16.840.1.101.3.4.2.1': { name: 'RSASSA-PSS with SHA-256', hash: 'sha256' },
  '2.16.840.1.101.3.4.2.2': { name: 'RSASSA-PSS with SHA-384', hash: 'sha384' },
  '2.16.840.1.101.3.4.2.3': { name: 'RSASSA-PSS with SHA-512', hash: 'sha512' },
};

/**
 * The algorithm of a signature, or undefined where it is not one that we accept: MD5, SHA-1 (also RSASSA-PSS with its
 * default hash, RFC 4055 §3.1) and everything unknown.
 *
 * @param algorithm the AlgorithmIdentifier element
 */
export function acceptedSignatureAlgorithm(algorithm: DerElement): SignatureAlgorithm | undefined {
  const [id, parameters] = algorithm.children;
  if (id?.tag !== Tag.objectIdentifier) return undefined;
  const name = parseObjectIdentifier(id.content);
  return name === RSASSA_PSS ? pssAlgorithm(parameters) : acceptedAlgorithms[name];
}

const HASH_ALGORITHM = 0xa0;
const SALT_LENGTH = 0xa2;
const DEFAULT_SALT_LENGTH = 20;

function pssAlgorithm(parameters: DerElement | undefined): SignatureAlgorithm | undefined {
  const parameter = (tag: number) => parameters?.children.find((element) => element.tag === tag)?.children[0];
  const hash = parameter(HASH_ALGORITHM)?.children[0];
  if (hash?.tag !== Tag.objectIdentifier) return undefined;
  const [saltLength = DEFAULT_SALT_LENGTH] = parameter(SALT_LENGTH)?.content ?? [];
  const accepted = acceptedPssHashes[parseObjectIdentifier(hash.content)];
  return accepted && { ...accepted, saltLength };
}

/** Whether this key signed these octets; the work is done in another thread. */
export function verifySignature(
  { hash, saltLength }: SignatureAlgorithm,
  { data, signature }: { data: Uint8Array; signature: Uint8Array },
  key: KeyObject,
): Promise<boolean> {
  const padding = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return new Promise((resolve) => {
    // A key of another kind than the algorithm's is an error, and no signature.
    verify(hash, data, { key, ...padding }, signature, (error, isSigned) => resolve(!error && isSigned));
  });
}

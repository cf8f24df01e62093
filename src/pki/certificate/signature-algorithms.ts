import { constants, type KeyObject, verify } from 'node:crypto';
import { type DerElement, Tag } from './der-element.ts';
import { parseInteger } from './der-values.ts';
import { parseObjectIdentifier } from './object-identifier.ts';

/** A signature algorithm that is strong enough for certificates and CRLs. */
export interface SignatureAlgorithm {
  readonly name: string;
  /** OpenSSL's name; null when the signature algorithm determines the hash. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** The types of key that make such signatures, as Node names them. */
  readonly keyTypes: readonly string[];
  /** The salt length of RSASSA-PSS, in bytes. */
  readonly saltLength?: number;
}

/** By object identifier. An algorithm that is not listed is not accepted on a verified chain. */
const acceptedAlgorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', hash: 'sha256', keyTypes: ['rsa'] },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', hash: 'sha384', keyTypes: ['rsa'] },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', hash: 'sha512', keyTypes: ['rsa'] },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', hash: 'sha256', keyTypes: ['ec'] },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', hash: 'sha384', keyTypes: ['ec'] },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', hash: 'sha512', keyTypes: ['ec'] },
  '1.3.101.112': { name: 'Ed25519', hash: null, keyTypes: ['ed25519'] },
  '1.3.101.113': { name: 'Ed448', hash: null, keyTypes: ['ed448'] },
  '2.16.840.1.101.3.4.3.17': { name: 'ML-DSA-44', hash: null, keyTypes: ['ml-dsa-44'] },
  '2.16.840.1.101.3.4.3.18': { name: 'ML-DSA-65', hash: null, keyTypes: ['ml-dsa-65'] },
  '2.16.840.1.101.3.4.3.19': { name: 'ML-DSA-87', hash: null, keyTypes: ['ml-dsa-87'] },
};

const RSASSA_PSS = '1.2.840.113549.1.1.10';

const acceptedPssHashes: Readonly<Record<string, SignatureAlgorithm>> = {
  '2.16.840.1.101.3.4.2.1': { name: 'RSASSA-PSS with SHA-256', hash: 'sha256', keyTypes: ['rsa', 'rsa-pss'] },
  '2.16.840.1.101.3.4.2.2': { name: 'RSASSA-PSS with SHA-384', hash: 'sha384', keyTypes: ['rsa', 'rsa-pss'] },
  '2.16.840.1.101.3.4.2.3': { name: 'RSASSA-PSS with SHA-512', hash: 'sha512', keyTypes: ['rsa', 'rsa-pss'] },
};

/**
 * The algorithm of a signature, or undefined if it is not accepted: MD5, SHA-1 (also RSASSA-PSS with its default hash,
 * RFC 4055 §3.1) and unknown algorithms.
 *
 * @param algorithm the AlgorithmIdentifier element
 */
export function acceptedSignatureAlgorithm(algorithm: DerElement): SignatureAlgorithm | undefined {
  const [id, parameters] = algorithm.children;
  if (id?.tag !== Tag.objectIdentifier) return undefined;
  const oid = parseObjectIdentifier(id);
  return oid === RSASSA_PSS ? pssAlgorithm(parameters) : acceptedAlgorithms[oid];
}

const HASH_ALGORITHM = 0xa0;
const SALT_LENGTH = 0xa2;
const DEFAULT_SALT_LENGTH = 20;
/** The salt is part of the signature, which is as long as the key: at most 8,192 bits. */
const MAX_SALT_LENGTH = 1024;

function pssAlgorithm(parameters: DerElement | undefined): SignatureAlgorithm | undefined {
  const parameter = (tag: number) => parameters?.children.find((element) => element.tag === tag)?.children[0];
  const hash = parameter(HASH_ALGORITHM)?.children[0];
  if (hash?.tag !== Tag.objectIdentifier) return undefined;
  const salt = parameter(SALT_LENGTH);
  const saltLength = salt ? parseInteger(salt).reduce((sum, byte) => sum * 256 + byte, 0) : DEFAULT_SALT_LENGTH;
  if (saltLength > MAX_SALT_LENGTH) return undefined;
  const accepted = acceptedPssHashes[parseObjectIdentifier(hash)];
  return accepted && { ...accepted, saltLength };
}

/**
 * Whether this key signed these bytes; false if the algorithm is one of another type of key. The signature is verified on a
 * worker thread of the pool.
 */
export async function verifySignature(
  { hash, keyTypes, saltLength }: SignatureAlgorithm,
  { data, signature }: { data: Uint8Array; signature: Uint8Array },
  key: KeyObject,
): Promise<boolean> {
  if (!keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  const padding = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return new Promise((resolve) => {
    // A key that does not fit the algorithm is reported as an error: the signature is then not by this key.
    verify(hash, data, { key, ...padding }, signature, (error, isValid) => resolve(!error && isValid));
  });
}

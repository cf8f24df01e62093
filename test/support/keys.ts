import { constants, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, der, integer, objectIdentifier, sequence } from './der.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ec = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve });
const rsa =
  (modulusLength: number, publicExponent = 0x10001) =>
  () =>
    generateKeyPairSync('rsa', { modulusLength, publicExponent });

const generators = {
  'ec-p256': ec('P-256'),
  'ec-p384': ec('P-384'),
  'ec-p521': ec('P-521'),
  'ec-secp256k1': ec('secp256k1'),
  'ec-brainpool-p256r1': ec('brainpoolP256r1'),
  'ec-brainpool-p512r1': ec('brainpoolP512r1'),
  'ec-brainpool-p256t1': ec('brainpoolP256t1'),
  'rsa-1024': rsa(1024),
  'rsa-2048': rsa(2048),
  'rsa-2048-e3': rsa(2048, 3),
  'rsa-3072': rsa(3072),
  'rsa-4096': rsa(4096),
  /** A key for RSASSA-PSS only (RFC 4055 §1.2), with any parameters. */
  'rsa-pss-2048': () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
  'ml-dsa-44': () => generateKeyPairSync('ml-dsa-44'),
  'ml-dsa-65': () => generateKeyPairSync('ml-dsa-65'),
} satisfies Record<string, () => KeyPair>;

export type KeyType = keyof typeof generators;

export type SignatureHash = 'MD5' | 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

const reusable = new Map<KeyType, KeyPair>();

/** A new key pair or, with `reuse`, one per type and process: generating an RSA key takes 0.1 s to several seconds. */
export function keyPair(type: KeyType, { reuse }: { reuse: boolean }): KeyPair {
  if (!reuse) return generators[type]();
  const keys = reusable.get(type) ?? generators[type]();
  reusable.set(type, keys);
  return keys;
}

/**
 * The SubjectPublicKeyInfo of an RSA key with any modulus length and any exponent. It has no private key, so its
 * certificate can be presented in a header but not in a handshake.
 */
export function rsaPublicKey({ bits, exponent = 65537n }: { bits: number; exponent?: bigint }): Uint8Array {
  const modulus = BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString('hex')}`);
  const exactBits = BigInt.asUintN(bits, modulus) | (1n << BigInt(bits - 1)) | 1n;
  const algorithm = sequence(objectIdentifier('1.2.840.113549.1.1.1'), der(0x05));
  return sequence(algorithm, bitString(sequence(integer(exactBits), integer(exponent))));
}

const rsaSignatures: Readonly<Record<SignatureHash, string>> = {
  MD5: '1.2.840.113549.1.1.4',
  'SHA-1': '1.2.840.113549.1.1.5',
  'SHA-256': '1.2.840.113549.1.1.11',
  'SHA-384': '1.2.840.113549.1.1.12',
  'SHA-512': '1.2.840.113549.1.1.13',
};

const ecdsaSignatures: Readonly<Partial<Record<SignatureHash, string>>> = {
  'SHA-1': '1.2.840.10045.4.1',
  'SHA-256': '1.2.840.10045.4.3.2',
  'SHA-384': '1.2.840.10045.4.3.3',
  'SHA-512': '1.2.840.10045.4.3.4',
};

/** Of types of key whose signatures have no choice of hash. */
const fixedSignatures: Readonly<Record<string, string>> = {
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
  'ml-dsa-44': '2.16.840.1.101.3.4.3.17',
  'ml-dsa-65': '2.16.840.1.101.3.4.3.18',
};

const pssHashes: Readonly<Partial<Record<SignatureHash, { readonly identifier: string; readonly bytes: bigint }>>> = {
  'SHA-1': { identifier: '1.3.14.3.2.26', bytes: 20n },
  'SHA-256': { identifier: '2.16.840.1.101.3.4.2.1', bytes: 32n },
  'SHA-384': { identifier: '2.16.840.1.101.3.4.2.2', bytes: 48n },
  'SHA-512': { identifier: '2.16.840.1.101.3.4.2.3', bytes: 64n },
};

/** The AlgorithmIdentifier of RSASSA-PSS, with a salt as long as the hash unless another length is given (RFC 4055 §3.1). */
export function pssAlgorithm(
  hash: SignatureHash,
  mgf1Hash = hash,
  saltLength = pssHashes[hash]?.bytes ?? 0n,
): Uint8Array {
  const hashAlgorithm = (name: SignatureHash) =>
    sequence(objectIdentifier(pssHashes[name]?.identifier ?? ''), der(0x05));
  const mgf1 = sequence(objectIdentifier('1.2.840.113549.1.1.8'), hashAlgorithm(mgf1Hash));
  const parameters = sequence(der(0xa0, hashAlgorithm(hash)), der(0xa1, mgf1), der(0xa2, integer(saltLength)));
  return sequence(objectIdentifier('1.2.840.113549.1.1.10'), parameters);
}

/** The AlgorithmIdentifier for a signature by this key (RFC 4055, RFC 5758, RFC 8410, RFC 9881). */
export function signatureAlgorithm(key: KeyObject, hash: SignatureHash): Uint8Array {
  const type = key.asymmetricKeyType ?? '';
  if (type === 'rsa') return sequence(objectIdentifier(rsaSignatures[hash]), der(0x05));
  if (type === 'rsa-pss') return pssAlgorithm(hash);
  const identifier = type === 'ec' ? ecdsaSignatures[hash] : fixedSignatures[type];
  if (!identifier) throw new Error(`no signature of ${hash} by a key of type ${type}`);
  return sequence(objectIdentifier(identifier));
}

/** The signature value as in a certificate: for ECDSA, the DER of the two integers. */
export function signatureOver(bytes: Uint8Array, key: KeyObject, hash: SignatureHash): Uint8Array {
  const hasFixedHash = (key.asymmetricKeyType ?? '') in fixedSignatures;
  const salt = key.asymmetricKeyType === 'rsa-pss' ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return sign(hasFixedHash ? null : hash.replace('-', ''), bytes, { key, ...salt });
}

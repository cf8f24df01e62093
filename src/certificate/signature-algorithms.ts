import { type DerElement, readObjectIdentifier, Tag } from './der.ts';

/** Signature algorithms by object identifier. What is not listed here is not accepted on a verified chain. */
const acceptedAlgorithms: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
};

const RSASSA_PSS = '1.2.840.113549.1.1.10';

const acceptedPssHashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'RSASSA-PSS with SHA-256',
  '2.16.840.1.101.3.4.2.2': 'RSASSA-PSS with SHA-384',
  '2.16.840.1.101.3.4.2.3': 'RSASSA-PSS with SHA-512',
};

/**
 * Names the algorithm that signed a certificate, or undefined where it is not one that we accept: MD5, SHA-1
 * (also RSASSA-PSS with its default hash, RFC 4055 §3.1) and everything unknown.
 *
 * @param algorithm the AlgorithmIdentifier element
 */
export function acceptedSignatureAlgorithm(algorithm: DerElement): string | undefined {
  const [id, parameters] = algorithm.children;
  if (id?.tag !== Tag.objectIdentifier) return undefined;
  const name = readObjectIdentifier(id.content);
  return name === RSASSA_PSS ? pssAlgorithm(parameters) : acceptedAlgorithms[name];
}

function pssAlgorithm(parameters: DerElement | undefined): string | undefined {
  const hash = parameters?.children.find((element) => element.tag === 0xa0)?.children[0]?.children[0];
  return hash?.tag === Tag.objectIdentifier ? acceptedPssHashes[readObjectIdentifier(hash.content)] : undefined;
}

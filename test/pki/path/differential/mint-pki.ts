import { type CertificateOptions, createTestCa, type TestCa, toPem } from '../../../support/certificates.ts';
import { type KeyPair, type KeyType, keyPair } from '../../../support/keys.ts';
import { caName, inUtf8, type NameShape } from './ca-names.ts';
import type { ChangeLabel } from './certificate-changes.ts';
import type { Entity, PkiPlan, PlannedCertificate } from './random-pki.ts';

/**
 * How a certificate differs from a valid one: what was changed, the type of its key unless it is P-256, and whether its
 * issuer is another key of the same name.
 */
export type Label =
  | ChangeLabel
  | `key ${KeyType}`
  | `name ${NameShape}`
  | 'issuer in UTF-8'
  | 'broken signature'
  | 'self-issued';

export interface LabelledCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly labels: readonly Label[];
}

export interface MintedPki {
  /** Self-signed. */
  readonly anchors: readonly LabelledCertificate[];
  readonly intermediates: readonly LabelledCertificate[];
  readonly leaf: LabelledCertificate;
  readonly isForwarded: boolean;
}

/** @param number part of the CA names, so that they are unique to this PKI */
export function mintPki(plan: PkiPlan, number: number): MintedPki {
  const { cas, leaf, isForwarded } = plan;
  const signers = plan.entities.map((entity) => signerFor(entity, number));
  const mint = (planned: PlannedCertificate) => mintCertificate(planned, signers, plan.leafKeyType);
  const isRoot = ({ subject, issuer }: PlannedCertificate) => subject === issuer;
  return {
    anchors: cas.filter(isRoot).map(mint),
    intermediates: cas.filter((planned) => !isRoot(planned)).map(mint),
    leaf: mint(leaf),
    isForwarded,
  };
}

/** A CA with the key and the name of an entity. */
interface Signer {
  /** Its common name, in whatever shape. */
  readonly name: string;
  readonly keyType: KeyType;
  readonly shape: NameShape;
  readonly ca: TestCa;
}

function signerFor({ name, shape, keyType, key }: Entity, number: number): Signer {
  const keys = keysOf({ keyType, key });
  return { name, keyType, shape, ca: createTestCa({ subject: caName(shape, `${name} ${number}`), keys }) };
}

function mintCertificate(planned: PlannedCertificate, signers: readonly Signer[], leafKeyType: KeyType) {
  const holder = planned.subject === 'leaf' ? undefined : signers[planned.subject];
  const issuer = signers[planned.issuer];
  if (!issuer) throw new Error('a certificate without an issuer');
  const issuerName = planned.hasIssuerInUtf8 ? { issuerName: inUtf8(issuer.ca.subject) } : {};
  const defaults = { ...(holder ? caOptions(holder) : leafOptions(leafKeyType)), ...issuerName };
  const { der } = issuer.ca.issue(changed(defaults, planned));
  const signed = planned.hasBrokenSignature ? withBrokenSignature(der) : der;
  const labels = labelsOf(planned, holder?.keyType ?? leafKeyType);
  labels.push(`name ${issuer.shape}`);
  if (planned.hasIssuerInUtf8) labels.push('issuer in UTF-8');
  if (holder && isSelfIssued(holder, issuer)) labels.push('self-issued');
  return { der: signed, pem: toPem(signed), labels };
}

/** Two shapes may be the same name to OpenSSL, such as a PrintableString and a TeletexString. */
function isSelfIssued(holder: Signer, issuer: Signer): boolean {
  return holder.name === issuer.name && holder.ca.keys !== issuer.ca.keys;
}

function caOptions({ ca: { subject, keys } }: Signer): CertificateOptions {
  return { subject, keys, ca: true };
}

function leafOptions(keyType: KeyType): CertificateOptions {
  const subject = [
    ['O', 'Ours'],
    ['CN', 'client'],
  ] as const;
  return { subject, keys: keysOf({ keyType, key: 6 }) };
}

/** Later changes override earlier ones, except for extensions, which accumulate. */
function changed(defaults: CertificateOptions, { changes }: PlannedCertificate): CertificateOptions {
  const all = changes.map(({ options }) => options);
  return {
    ...Object.assign({}, defaults, ...all),
    withoutExtensions: all.flatMap(({ withoutExtensions = [] }) => withoutExtensions),
    extraExtensions: all.flatMap(({ extraExtensions = [] }) => extraExtensions),
  };
}

function labelsOf({ changes, hasBrokenSignature }: PlannedCertificate, keyType: KeyType): Label[] {
  const labels: Label[] = changes.map(({ label }) => label);
  if (keyType !== 'ec-p256') labels.push(`key ${keyType}`);
  if (hasBrokenSignature) labels.push('broken signature');
  return labels;
}

const pool = new Map<string, KeyPair>();

function keysOf({ keyType, key }: Pick<Entity, 'keyType' | 'key'>): KeyPair {
  const name = keyType.startsWith('rsa') ? keyType : `${keyType} ${key}`;
  const keys = pool.get(name) ?? keyPair(keyType, { reuse: keyType.startsWith('rsa') });
  pool.set(name, keys);
  return keys;
}

/** The last byte of a certificate belongs to its signature. */
function withBrokenSignature(der: Uint8Array): Uint8Array {
  return Buffer.concat([der.subarray(0, -1), Buffer.of((der.at(-1) ?? 0) ^ 1)]);
}

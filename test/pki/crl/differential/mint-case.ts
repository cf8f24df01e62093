import {
  type CertificateOptions,
  createTestCa,
  type MintedCertificate,
  type TestCa,
} from '../../../support/certificates.ts';
import {
  type CrlOptions,
  createCrl,
  crlDistributionPoints,
  crlIssuer,
  crlNumber,
  deltaIndicator,
  distributionPoint,
  entry,
  fullName,
  indirect,
  onlyAttributes,
  onlyCas,
  onlyClients,
  onlyReasons,
  pointReasons,
  reasonCode,
  relativeToIssuer,
  serialOf,
  unknownCritical,
} from '../../../support/crls.ts';
import { der, sequence } from '../../../support/der.ts';
import type { NameParts } from '../../../support/distinguished-name.ts';
import type { RawExtension } from '../../../support/extensions.ts';
import { type GeneralName, generalName } from '../../../support/general-names.ts';
import { type KeyPair, keyPair } from '../../../support/keys.ts';
import type {
  CrlCase,
  Listing,
  PlannedCrl,
  PlannedName,
  PlannedNames,
  PlannedPoint,
  PlannedScope,
} from './random-case.ts';

export interface MintedCase {
  readonly plan: CrlCase;
  readonly ca: MintedCertificate;
  readonly certificate: MintedCertificate;
  /** DER, in the order of the plan. */
  readonly crls: readonly Uint8Array[];
}

const HOUR = 3_600_000;
const keys: KeyPair = keyPair('ec-p256', { reuse: false });
const otherKeys: KeyPair = keyPair('ec-p256', { reuse: false });
const leafKeys: KeyPair = keyPair('ec-p256', { reuse: false });

/** @param number part of the CA's name, so that it is unique to this case */
export function mintCase(plan: CrlCase, number: number): MintedCase {
  const subject = [['CN', `CA ${number}`]] as const;
  const ca = createTestCa({ subject, keys });
  const certificate = ca.issue(certificateOptions(plan, subject));
  const signer = (crl: PlannedCrl): TestCa =>
    crl.change === 'other key' ? createTestCa({ subject, keys: otherKeys }) : ca;
  const crls = plan.crls.map((crl) => {
    const minted = createCrl(signer(crl), crlOptions(crl, certificate, subject));
    return crl.change === 'broken signature' ? withLastByteChanged(minted) : minted;
  });
  return { plan, ca, certificate, crls };
}

function certificateOptions({ certificate: plan }: CrlCase, issuer: NameParts): CertificateOptions {
  const points = plan.points?.map((point) => pointFields(point, issuer));
  return {
    keys: leafKeys,
    ...(plan.isCa ? { ca: true, subject: [['CN', 'Intermediate']] } : {}),
    extraExtensions: [
      ...(points ? [crlDistributionPoints(...points)] : []),
      ...(plan.hasIssuerAlternativeName ? [{ oid: '2.5.29.18', value: sequence(nameOf('uri 1', issuer)) }] : []),
    ],
  };
}

function pointFields({ names, reasons, crlIssuer: by }: PlannedPoint, issuer: NameParts): Uint8Array[] {
  const directory = generalName.directory(by === 'own' ? issuer : [['CN', 'CRL issuer']]);
  return [
    ...namesField(names, issuer),
    ...(reasons ? [pointReasons(...reasons)] : []),
    ...(by === 'none' ? [] : [crlIssuer(directory)]),
  ];
}

function namesField(names: PlannedNames, issuer: NameParts): Uint8Array[] {
  if (names === 'none') return [];
  if (names === 'relative') return [relativeToIssuer(partition)];
  return [fullName(...names.map((name) => nameOf(name, issuer)))];
}

const partition = ['CN', 'Partition'] as const;

function nameOf(name: PlannedName, issuer: NameParts): GeneralName {
  if (name === 'uri 1') return generalName.uri('http://ca.example/1.crl');
  if (name === 'uri 2') return generalName.uri('http://ca.example/2.crl');
  if (name === 'issuer') return generalName.directory(issuer);
  return generalName.directory(name === 'stranger' ? [['CN', 'Stranger']] : [...issuer, partition]);
}

function crlOptions(
  { scope, listing, change, hoursOld }: PlannedCrl,
  certificate: MintedCertificate,
  issuer: NameParts,
) {
  const now = Date.now();
  const extensions = [
    ...(scope ? [distributionPoint(...scopeFields(scope, issuer))] : []),
    ...(change === 'delta' ? [deltaIndicator] : []),
    ...(change === 'unknown critical' ? [unknownCritical] : []),
    ...(change === 'wrong AKI' ? [{ oid: '2.5.29.35', value: sequence(der(0x80, Buffer.alloc(20))) }] : []),
    { ...crlNumber(BigInt(100 - hoursOld)), critical: change === 'critical number' },
  ];
  const options: CrlOptions = {
    entries: listing ? [entry(serialOf(certificate), entryExtensions(listing, issuer))] : [],
    extensions,
    thisUpdate: new Date(change === 'future' ? now + HOUR : now - hoursOld * HOUR),
    nextUpdate: change === 'no nextUpdate' ? 'none' : new Date(change === 'expired' ? now - HOUR / 2 : now + 24 * HOUR),
    ...(change === 'v1' ? { version: 1 } : {}),
    ...(change === 'SHA-1' ? { signatureHash: 'SHA-1' } : {}),
  };
  return options;
}

function scopeFields(scope: PlannedScope, issuer: NameParts): Uint8Array[] {
  return [
    ...namesField(scope.names, issuer),
    ...(scope.onlyUser ? [onlyClients] : []),
    ...(scope.onlyCa ? [onlyCas] : []),
    ...(scope.reasons ? [onlyReasons(...scope.reasons)] : []),
    ...(scope.indirect ? [indirect] : []),
    ...(scope.onlyAttributes ? [onlyAttributes] : []),
  ];
}

function entryExtensions(listing: Listing, issuer: NameParts): RawExtension[] {
  if (listing === 'hold') return [reasonCode(6)];
  if (listing === 'removeFromCRL') return [reasonCode(8)];
  if (listing === 'critical reason') return [{ ...reasonCode(1), critical: true }];
  if (listing === 'unknown critical') return [unknownCritical];
  const value = sequence(generalName.directory(issuer));
  return listing === 'certificateIssuer' ? [{ oid: '2.5.29.29', critical: true, value }] : [];
}

function withLastByteChanged(crl: Uint8Array): Uint8Array {
  return Buffer.concat([crl.subarray(0, -1), Buffer.of((crl.at(-1) ?? 0) ^ 1)]);
}

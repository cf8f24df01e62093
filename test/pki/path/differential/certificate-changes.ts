import fc from 'fast-check';
import type { CertificateOptions } from '../../../support/certificates.ts';
import { der, integer, objectIdentifier, octetString, sequence } from '../../../support/der.ts';
import type { RawExtension } from '../../../support/extensions.ts';
import { constraints, malformedConstraints, someNames, subjects } from './name-changes.ts';

/** One way in which a certificate differs from a valid one. */
export interface CertificateChange {
  readonly label: ChangeLabel;
  readonly options: CertificateOptions;
}

const Oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  policies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

const HOUR = 3_600_000;
const one = (options: CertificateOptions) => fc.constant(options);
const some = (...options: CertificateOptions[]) => fc.constantFrom(...options);
const extra = (...extraExtensions: RawExtension[]): CertificateOptions => ({ extraExtensions });
/** Replaces a default extension. */
const instead = (oid: string, value: Uint8Array, critical = false): CertificateOptions => ({
  withoutExtensions: [oid],
  extraExtensions: [{ oid, value, critical }],
});
const without = (oid: string): CertificateOptions => ({ withoutExtensions: [oid] });
const caTrue = sequence(der(0x01, Buffer.of(0xff)));
const keyCertSign = der(0x03, Buffer.of(1, 0x06));
const policy = objectIdentifier('2.23.140.1.2.1');
const otherKey = Buffer.alloc(20, 7);

/** Generators by label. The tables of disagreements refer to these labels. */
const arbitraries = {
  expired: one({ notBefore: new Date(Date.now() - 3 * HOUR), notAfter: new Date(Date.now() - HOUR) }),
  'not yet valid': one({ notBefore: new Date(Date.now() + HOUR) }),
  'SHA-1': one({ signatureHash: 'SHA-1' }),
  'longer hash': some({ signatureHash: 'SHA-384' }, { signatureHash: 'SHA-512' }),
  v1: one({ version: 1 }),
  'no usage': one({ eku: 'none' }),
  'any usage': one({ eku: 'any' }),
  'server usage': one({ eku: 'server' }),
  'client usage': some({ eku: 'client' }, { eku: 'client+server' }),
  'unknown usage': one({ eku: ['1.3.6.1.4.1.99999.9'] }),
  'no key usage': one({ keyUsage: [] }),
  'other key usage': some(
    { keyUsage: ['keyEncipherment'] },
    { keyUsage: ['cRLSign'] },
    { keyUsage: ['nonRepudiation'] },
  ),
  'key agreement': one({ keyUsage: ['keyAgreement'] }),
  keyCertSign: some({ keyUsage: ['digitalSignature', 'keyCertSign'] }, { keyUsage: ['keyCertSign'] }),
  'other CA flag': some({ ca: false }, { ca: true }),
  'CA flag alone': some({ rawBasicConstraints: caTrue }, { rawBasicConstraints: sequence() }),
  'no basic constraints': one(without(Oid.basicConstraints)),
  'basic constraints not critical': one(instead(Oid.basicConstraints, caTrue)),
  'path length': fc.nat(2).map((pathLength) => ({ pathLength })),
  'path length without CA': one({ rawBasicConstraints: sequence(integer(0n)) }),
  'no AKI': one(without(Oid.authorityKeyIdentifier)),
  'wrong AKI': one(instead(Oid.authorityKeyIdentifier, sequence(der(0x80, otherKey)))),
  'AKI by serial number': one(
    instead(Oid.authorityKeyIdentifier, sequence(der(0xa1, der(0x82, Buffer.from('x'))), der(0x82, Buffer.of(9)))),
  ),
  'critical AKI': one(instead(Oid.authorityKeyIdentifier, sequence(der(0x80, otherKey)), true)),
  'no SKI': one(without(Oid.subjectKeyIdentifier)),
  'wrong SKI': one(instead(Oid.subjectKeyIdentifier, octetString(otherKey))),
  'critical SKI': one(instead(Oid.subjectKeyIdentifier, octetString(otherKey), true)),
  'unknown critical': one(extra({ oid: '1.3.6.1.4.1.99999.7', critical: true, value: Buffer.of(5, 0) })),
  unknown: one(extra({ oid: '1.3.6.1.4.1.99999.7', value: Buffer.of(5, 0) })),
  'key usage not critical': one(instead(Oid.keyUsage, keyCertSign)),
  'policy required': one(
    extra({ oid: Oid.policyConstraints, critical: true, value: sequence(der(0x80, Buffer.of(0))) }),
  ),
  'policy mapping inhibited': one(
    extra({ oid: Oid.policyConstraints, critical: true, value: sequence(der(0x81, Buffer.of(0))) }),
  ),
  'no policy constraint': one(extra({ oid: Oid.policyConstraints, critical: true, value: sequence() })),
  policies: one(extra({ oid: Oid.policies, critical: true, value: sequence(sequence(policy)) })),
  'any policy inhibited': one(extra({ oid: Oid.inhibitAnyPolicy, critical: true, value: integer(0n) })),
  'other issuer': one({ issuerName: [['CN', 'Unknown']] }),
  'empty issuer': one({ issuerName: [] }),
  'empty subject': one({ subject: [] }),
  subject: subjects,
  names: someNames,
  constraints,
  'malformed constraints': malformedConstraints,
} as const satisfies Record<string, fc.Arbitrary<CertificateOptions>>;

export type ChangeLabel = keyof typeof arbitraries;

/** Chosen more often, in combination with other changes. */
const often: readonly ChangeLabel[] = ['names', 'constraints', 'constraints', 'subject', 'path length', 'wrong AKI'];
/** Safe: the table above is closed, so its keys are exactly the labels. */
const labels = [...(Object.keys(arbitraries) as ChangeLabel[]), ...often, ...often];

export const certificateChange: fc.Arbitrary<CertificateChange> = fc
  .constantFrom(...labels)
  .chain((label) => arbitraries[label].map((options) => ({ label, options })));

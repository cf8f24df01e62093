import fc from 'fast-check';
import type { KeyType } from '../../../support/keys.ts';
import { type NameShape, nameShapes } from './ca-names.ts';
import { type CertificateChange, certificateChange } from './certificate-changes.ts';

/** A subject with a name and a key; there are few of both, so that some share them. */
export interface Entity {
  readonly name: string;
  readonly shape: NameShape;
  readonly keyType: KeyType;
  /** The number of the key among those of its type. */
  readonly key: number;
}

export interface PlannedCertificate {
  /** Indices of entities; the subject of a leaf is not an entity. */
  readonly subject: number | 'leaf';
  readonly issuer: number;
  readonly changes: readonly CertificateChange[];
  readonly hasBrokenSignature: boolean;
  /** Whether the issuer's name is in another encoding than that of the CA's certificate. */
  readonly hasIssuerInUtf8: boolean;
}

/** The description of a PKI from which certificates are issued. */
export interface PkiPlan {
  readonly entities: readonly Entity[];
  readonly cas: readonly PlannedCertificate[];
  readonly leaf: PlannedCertificate;
  readonly leafKeyType: KeyType;
  /** Whether the client sends the intermediates, instead of the operator configuring them. */
  readonly isForwarded: boolean;
}

const keyType: fc.Arbitrary<KeyType> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<KeyType>('ec-p256') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<KeyType>(
      'rsa-2048',
      'ec-p384',
      'ed25519',
      'ec-brainpool-p256r1',
      'rsa-1024',
      'rsa-2048-e3',
      'ec-secp256k1',
    ),
  },
);

const entity: fc.Arbitrary<Entity> = fc.record({
  name: fc.constantFrom('Root', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'),
  shape: fc.oneof(
    { weight: 1, arbitrary: fc.constant<NameShape>('plain') },
    { weight: 1, arbitrary: fc.constantFrom(...nameShapes) },
  ),
  keyType,
  key: fc.nat(5),
});

const rarely = fc.nat(39).map((number) => number === 39);
const changes = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(certificateChange, { minLength: 1, maxLength: 2 }) },
);

/** A chain of 2 to 4 levels, each entity certified by the previous one, and up to 3 cross-certificates. */
export const randomPki: fc.Arbitrary<PkiPlan> = fc.array(entity, { minLength: 1, maxLength: 3 }).chain((entities) => {
  const someEntity = fc.nat(entities.length - 1);
  const certificate = (subject: fc.Arbitrary<number | 'leaf'>, issuer: fc.Arbitrary<number>) =>
    fc.record<PlannedCertificate>({ subject, issuer, changes, hasBrokenSignature: rarely, hasIssuerInUtf8: rarely });
  const chain = entities.map((_, index) => certificate(fc.constant(index), fc.constant(Math.max(index - 1, 0))));
  const crossCertificates = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(certificate(someEntity, someEntity), { minLength: 1, maxLength: 3 }) },
  );
  return fc.record({
    entities: fc.constant(entities),
    cas: fc.tuple(fc.tuple(...chain), crossCertificates).map((parts) => parts.flat()),
    leaf: certificate(fc.constant('leaf'), fc.constant(entities.length - 1)),
    leafKeyType: keyType,
    isForwarded: fc.boolean(),
  });
});

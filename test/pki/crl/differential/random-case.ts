import fc from 'fast-check';

/** A name of a distribution point: a URI, or a directory name below the issuer, of the issuer, or of nobody. */
export type PlannedName = 'uri 1' | 'uri 2' | 'below issuer' | 'issuer' | 'stranger';

/** `relative` is the same name as `below issuer`. */
export type PlannedNames = readonly PlannedName[] | 'relative' | 'none';

export interface PlannedPoint {
  readonly names: PlannedNames;
  /** Bits of ReasonFlags; undefined omits them. */
  readonly reasons: readonly number[] | undefined;
  readonly crlIssuer: 'none' | 'own' | 'other';
}

interface PlannedCertificate {
  readonly isCa: boolean;
  /** Undefined omits the extension. */
  readonly points: readonly PlannedPoint[] | undefined;
  /** Whether the first URI is an issuer alternative name. */
  readonly hasIssuerAlternativeName: boolean;
}

/** Further differences from a usual CRL. */
const crlChanges = [
  'expired',
  'future',
  'no nextUpdate',
  'delta',
  'unknown critical',
  'critical number',
  'wrong AKI',
  'other key',
  'broken signature',
  'v1',
  'SHA-1',
] as const;
type CrlChange = (typeof crlChanges)[number];

/** The entry of the certificate, if it is listed. */
const listings = [
  'plain',
  'hold',
  'removeFromCRL',
  'critical reason',
  'unknown critical',
  'certificateIssuer',
] as const;
export type Listing = (typeof listings)[number];

export interface PlannedCrl {
  /** Undefined omits the issuing distribution point. */
  readonly scope: PlannedScope | undefined;
  readonly listing: Listing | undefined;
  readonly change: CrlChange | undefined;
  /** CRLs of one scope differ in their age. */
  readonly hoursOld: number;
}

export interface PlannedScope {
  readonly names: PlannedNames;
  readonly onlyUser: boolean;
  readonly onlyCa: boolean;
  readonly onlyAttributes: boolean;
  readonly indirect: boolean;
  readonly reasons: readonly number[] | undefined;
}

/** A certificate, and the CRLs of its CA. */
export interface CrlCase {
  readonly certificate: PlannedCertificate;
  readonly crls: readonly PlannedCrl[];
}

const name = fc.constantFrom<PlannedName>('uri 1', 'uri 1', 'uri 2', 'uri 2', 'below issuer', 'issuer', 'stranger');
const names: fc.Arbitrary<PlannedNames> = fc.oneof(
  { weight: 6, arbitrary: fc.array(name, { minLength: 1, maxLength: 2 }) },
  { weight: 2, arbitrary: fc.constant<PlannedNames>('none') },
  { weight: 1, arbitrary: fc.constant<PlannedNames>('relative') },
);

/** Two halves, which complement each other, more often than others. */
const reasons = fc.option(
  fc.constantFrom<readonly number[]>(
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [1, 2, 3, 4, 5, 6, 7, 8],
    [0, 1, 6],
    [2, 3, 4, 5, 7, 8],
    [],
  ),
  { nil: undefined, freq: 3 },
);

const rarely = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

const point: fc.Arbitrary<PlannedPoint> = fc.record({
  names,
  reasons: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: reasons }),
  crlIssuer: fc.constantFrom('none', 'none', 'none', 'none', 'own', 'other'),
});

const scope: fc.Arbitrary<PlannedScope> = fc.record({
  names,
  onlyUser: rarely(2),
  onlyCa: rarely(6),
  onlyAttributes: rarely(20),
  indirect: rarely(12),
  reasons: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: reasons }),
});

const crl: fc.Arbitrary<PlannedCrl> = fc.record({
  scope: fc.option(scope, { nil: undefined, freq: 5 }),
  listing: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...listings) },
  ),
  change: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...crlChanges) },
  ),
  hoursOld: fc.integer({ min: 1, max: 4 }),
});

export const randomCase: fc.Arbitrary<CrlCase> = fc.record({
  certificate: fc.record({
    isCa: rarely(3),
    points: fc.option(fc.array(point, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
    hasIssuerAlternativeName: rarely(8),
  }),
  crls: fc.array(crl, { minLength: 1, maxLength: 3 }),
});

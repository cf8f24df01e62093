import type { CrlCase, PlannedCrl, PlannedName, PlannedPoint } from './random-case.ts';

interface Disagreement {
  /** What the certificate and its CRLs must contain. */
  readonly applies: (plan: CrlCase) => boolean;
  readonly because: string;
  /** What justifies the result of Countersign. */
  readonly section: string;
}

interface AcceptedOnlyByCountersign extends Disagreement {
  /** The errors of OpenSSL. */
  readonly errors: readonly number[];
}

interface RejectedOnlyByCountersign extends Disagreement {
  /** Matches a reason of Countersign. */
  readonly ours: RegExp;
}

const anyCrl =
  (test: (crl: PlannedCrl) => boolean) =>
  ({ crls }: CrlCase) =>
    crls.some(test);
const anyPoint =
  (test: (point: PlannedPoint) => boolean) =>
  ({ certificate }: CrlCase) =>
    certificate.points?.some(test) ?? false;

const changed =
  (...changes: readonly PlannedCrl['change'][]) =>
  ({ change }: PlannedCrl) =>
    change !== undefined && changes.includes(change);
const names =
  (name: PlannedName) =>
  ({ scope }: PlannedCrl) =>
    Array.isArray(scope?.names) && scope.names.includes(name);
const isNamed = ({ scope }: PlannedCrl) => scope !== undefined && scope.names !== 'none';

const isOlderThan =
  ({ hoursOld }: PlannedCrl) =>
  (other: PlannedCrl) =>
    other.hoursOld > hoursOld && other.listing !== undefined;

/** The CRLs that Countersign does not load. */
const isRejected = (crl: PlannedCrl) =>
  changed('no nextUpdate', 'delta', 'unknown critical', 'other key', 'broken signature', 'SHA-1')(crl) ||
  crl.listing === 'unknown critical' ||
  crl.listing === 'certificateIssuer' ||
  crl.scope?.indirect === true ||
  crl.scope?.onlyAttributes === true;

const [UNABLE_TO_GET_CRL, BAD_SIGNATURE, NOT_YET_VALID, EXPIRED, NO_ISSUER] = [3, 8, 11, 12, 20];
const [REVOKED, UNHANDLED_CRITICAL, OTHER_SCOPE] = [23, 36, 44];
/** Of several CRLs OpenSSL reports what is wrong with the one that it prefers. */
const notCovered = [OTHER_SCOPE, UNABLE_TO_GET_CRL, NOT_YET_VALID, EXPIRED];

/** Certificates that only Countersign accepts. */
export const acceptedOnlyByCountersign: Readonly<Record<string, AcceptedOnlyByCountersign>> = {
  'the only CRL of its CA': {
    errors: notCovered,
    applies: (plan) => plan.certificate.points === undefined && anyCrl(isNamed)(plan),
    because: 'the certificate names no distribution point, and the CA has no second CRL, as with step-ca',
    section: 'docs/chains.md; RFC 5280 §6.3.3 leaves the status undetermined',
  },
  'a CRL named after the issuer': {
    errors: notCovered,
    applies: anyCrl(names('issuer')),
    because: 'it compares the name of a CRL only with the names in the extension of the certificate',
    section: 'RFC 5280 §6.3.3, last paragraph: assume a distribution point with the name of the issuer',
  },
  'a CRL named after an issuer alternative name': {
    errors: notCovered,
    applies: (plan) => plan.certificate.hasIssuerAlternativeName && anyCrl(names('uri 1'))(plan),
    because: 'it compares the name of a CRL only with the names in the extension of the certificate',
    section: 'RFC 5280 §6.3.3, last paragraph: … as well as the issuerAltName extension',
  },
  'reasons of a distribution point': {
    errors: notCovered,
    applies: anyPoint(({ reasons }) => reasons !== undefined),
    because: 'it uses the reasons of one matching distribution point, also for a CRL that has no name',
    section: 'RFC 5280 §6.3.3: for each distribution point; then again without reasons',
  },
  'a key identifier of another key': {
    errors: notCovered,
    applies: anyCrl(changed('wrong AKI')),
    because: 'to Countersign it is a hint; the signature decides',
    section: 'RFC 5280 §6.3.3 (f) and (g)',
  },
  'a newer CRL with a key identifier of another key': {
    errors: [REVOKED],
    applies: ({ crls }) => crls.some((crl) => changed('wrong AKI')(crl) && crls.some(isOlderThan(crl))),
    because: 'it prefers an older CRL whose key identifier matches; to Countersign the newest one counts',
    section: 'RFC 5280 §6.3.3 (f) and (g)',
  },
  'a critical CRL number': {
    errors: [UNHANDLED_CRITICAL, ...notCovered],
    applies: anyCrl(changed('critical number')),
    because: 'Countersign processes it',
    section: 'RFC 5280 §5.2',
  },
  'a distribution point without a name or a CRL issuer': {
    errors: [NO_ISSUER],
    applies: anyPoint(({ names: list, crlIssuer }) => list === 'none' && crlIssuer === 'none'),
    because: 'it does not use such a certificate at all; to Countersign the distribution point covers nothing',
    section: 'RFC 5280 §4.2.1.13: a rule for CAs',
  },
  'a CRL that is not loaded': {
    errors: [BAD_SIGNATURE, UNHANDLED_CRITICAL, REVOKED, OTHER_SCOPE],
    applies: (plan) => plan.crls.length > 1 && anyCrl(isRejected)(plan),
    because: 'OpenSSL prefers it to another one; Countersign rejects it when it is loaded, and uses the others',
    section: 'RFC 5280 §6.3.3 (g)',
  },
};

/** Certificates that only OpenSSL accepts. */
export const rejectedOnlyByCountersign: Readonly<Record<string, RejectedOnlyByCountersign>> = {
  'listed on another CRL': {
    ours: /is revoked/,
    applies: ({ crls }) => crls.length > 1,
    because: 'OpenSSL reads CRLs until all reasons are covered; to Countersign any CRL of the CA counts',
    section: 'RFC 5280 §4.1.2.2: serial numbers are unique to the CA',
  },
  removeFromCRL: {
    ours: /is revoked/,
    applies: anyCrl(({ listing }) => listing === 'removeFromCRL'),
    because: 'to OpenSSL such a certificate is not revoked, in a complete CRL as well',
    section: 'RFC 5280 §5.3.1: only delta CRLs have this reason',
  },
  'an indirect CRL': {
    ours: /is an indirect CRL/,
    applies: anyCrl(({ scope, listing }) => scope?.indirect === true || listing === 'certificateIssuer'),
    because: 'not supported',
    section: 'RFC 5280 §6.3.3 (b)(1): local choice',
  },
  'a newer CRL that has expired': {
    ours: /expired at/,
    applies: (plan) => plan.crls.length > 1 && anyCrl(changed('expired'))(plan),
    because: 'OpenSSL prefers an older one that has not; to Countersign the newer one has replaced it',
    section: 'RFC 5280 §5.1.2.4, §6.3.3 (a)',
  },
  'no nextUpdate': {
    ours: /has no nextUpdate/,
    applies: anyCrl(changed('no nextUpdate')),
    because: 'to OpenSSL it never expires',
    section: 'RFC 5280 §5.1.2.5: must be present',
  },
  'a delta CRL for some reasons': {
    ours: /is a delta CRL/,
    applies: anyCrl((crl) => changed('delta')(crl) && crl.scope?.reasons !== undefined),
    because: 'OpenSSL takes it for a complete CRL',
    section: 'RFC 5280 §5.2.4',
  },
  'a CRL issuer without a distribution point name': {
    ours: /is not for the distribution points|lists it for the reasons/,
    applies: anyPoint(({ names: list, crlIssuer }) => list === 'none' && crlIssuer === 'own'),
    because: 'OpenSSL accepts a CRL of any name for it',
    section: 'RFC 5280 §6.3.3 (b)(2)(i): the name must be one of the CRL issuer',
  },
  'SHA-1': {
    ours: /is signed with an algorithm that is not accepted/,
    applies: anyCrl(changed('SHA-1')),
    because: 'at security level 0 it accepts every hash',
    section: 'RFC 9155, RFC 5280 §6.3.3 (g)',
  },
};

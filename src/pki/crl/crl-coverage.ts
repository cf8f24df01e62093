import type { Certificate } from '../certificate/certificate.ts';
import type { ReasonFlags } from '../certificate/revocation-reasons.ts';
import { describeScope } from './crl-scope.ts';
import type { StoredCrl } from './crl-store.ts';

/** Whether a CRL lists a certificate if it is revoked, for some reasons at least. */
export type Coverage =
  | { readonly covers: true; readonly reasons: ReasonFlags }
  /** `problem` returns a predicate of the CRL. Few are needed: a CA can have a CRL for each of hundreds of distribution points. */
  | { readonly covers: false; readonly problem: () => string };

/** The CRLs of the certificate's issuer, which together show how the CA divides them. */
export interface IssuerCrls {
  readonly crls: readonly StoredCrl[];
  readonly missingSources: readonly string[];
}

/** Verifies that the scope of a CRL contains the certificate (RFC 5280 §6.3.3 (b)(2) and (d)). */
export function coverageOf(certificate: Certificate, stored: StoredCrl, all: IssuerCrls): Coverage {
  const { certificates, names, reasons } = stored.crl.scope;
  const type = typeOf(certificate);
  if (certificates !== 'all' && certificates !== type) return outside(() => `lists no ${type} certificates`);
  if (!names) return { covers: true, reasons };
  const { named, reasonsByName } = certificate.crlDistributionPoints;
  const matching = names.reduce((flags, { key }) => flags | (reasonsByName.get(key) ?? 0), 0);
  if (matching !== 0) return { covers: true, reasons: matching & reasons };
  if (named) {
    return outside(() => `is not for the distribution points that the certificate names (${listed(named)})`);
  }
  const problem = undividedProblem(stored, type, all);
  return problem === undefined ? { covers: true, reasons } : outside(problem);
}

function outside(problem: () => string): Coverage {
  return { covers: false, problem };
}

function typeOf({ basicConstraints }: Certificate): 'CA' | 'end-entity' {
  return basicConstraints.isCa ? 'CA' : 'end-entity';
}

/**
 * Why a CRL with a distribution point name may not list a certificate that names no distribution point. RFC 5280 leaves
 * its status undetermined, but step-ca issues exactly this pair. A CA that divides its certificates between CRLs has
 * several of them, so one that is the only CRL of its CA lists them all. Once there is another, or there may be, nothing
 * indicates which one lists the certificate.
 */
function undividedProblem(stored: StoredCrl, type: 'CA' | 'end-entity', all: IssuerCrls) {
  const own = stored.crl.scope.names ?? [];
  const other = all.crls.find(({ isPublished, crl: { scope } }) => {
    const isRelevant = isPublished && (scope.certificates === 'all' || scope.certificates === type);
    return isRelevant && !scope.names?.some(({ key }) => own.some((name) => name.key === key));
  });
  if (other) {
    const { names = [{ text: 'all distribution points' }] } = other.crl.scope;
    const another = names.map(({ text }) => text);
    return () =>
      `is one of several, among them one for ${listed(another)}, and the certificate names no distribution point`;
  }
  if (all.missingSources.length === 0) return undefined;
  return () =>
    'may be one of several, and the certificate names no distribution point: ' +
    `not loaded yet is ${listed(all.missingSources)}`;
}

const MAX_LISTED = 3;

/** The first few, and how many there are besides. */
export function listed(items: readonly string[], separator = ', '): string {
  const more = items.length - MAX_LISTED;
  return items.slice(0, MAX_LISTED).join(separator) + (more > 0 ? `${separator}and ${more} more` : '');
}

/** Names a CRL by its CA and, unless it is complete, its scope. */
export function describeCrl({ ca, crl: { scope } }: StoredCrl): string {
  const text = describeScope(scope);
  return `the CRL of CA "${ca}"${text && ` (${text})`}`;
}

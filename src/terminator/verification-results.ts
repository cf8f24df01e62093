import type { InvalidClientCode } from '../reasons/reasons.ts';

/**
 * OpenSSL's verification errors (x509_vfy.h, `X509_V_ERR_…`) that a client certificate can cause. nginx and Apache
 * forward the text, after `FAILED:`, and HAProxy the number.
 */
const opensslErrors: ReadonlyMap<string, string> = new Map([
  ['2', 'unable to get issuer certificate'],
  ['3', 'unable to get certificate CRL'],
  ['7', 'certificate signature failure'],
  ['9', 'certificate is not yet valid'],
  ['10', 'certificate has expired'],
  ['11', 'CRL is not yet valid'],
  ['12', 'CRL has expired'],
  ['18', 'self-signed certificate'],
  ['19', 'self-signed certificate in certificate chain'],
  ['20', 'unable to get local issuer certificate'],
  ['21', 'unable to verify the first certificate'],
  ['22', 'certificate chain too long'],
  ['23', 'certificate revoked'],
  ['25', 'path length constraint exceeded'],
  ['26', 'unsuitable certificate purpose'],
  ['27', 'certificate not trusted'],
  ['28', 'certificate rejected'],
  ['32', 'key usage does not include certificate signing'],
  ['34', 'unhandled critical extension'],
  ['37', 'invalid non-CA certificate'],
  ['41', 'invalid or inconsistent certificate extension'],
  ['43', 'no explicit policy'],
  ['47', 'permitted subtree violation'],
  ['48', 'excluded subtree violation'],
  ['53', 'unsupported or invalid name syntax'],
  ['66', 'EE certificate key too weak'],
  ['67', 'CA certificate key too weak'],
  ['68', 'CA signature digest algorithm too weak'],
  ['79', 'invalid CA certificate'],
]);

/** The meaning of a verification result that is a number. */
export function describeResult(value: string): string | undefined {
  return opensslErrors.get(value);
}

/** What a failed verification states of the certificate. */
export interface VerificationFailure {
  readonly code: InvalidClientCode;
  /** Whether the terminator rejects the certificate. Otherwise it only knows no issuer, and it may be a registered one. */
  readonly isFinal: boolean;
  /** Whether the value states a reason. */
  readonly isExplained: boolean;
}

const unknownIssuer: VerificationFailure = { code: 'verification_issuer_unknown', isFinal: false, isExplained: true };
const revoked: VerificationFailure = { code: 'verification_revoked', isFinal: true, isExplained: true };
const excluded: VerificationFailure = { code: 'verification_names_excluded', isFinal: true, isExplained: true };
const unexplained: VerificationFailure = { code: 'verification_failed', isFinal: true, isExplained: false };
const other: VerificationFailure = { code: 'verification_failed', isFinal: true, isExplained: true };
/** No value, or one that no terminator sends as a failure: the certificate is not verified, and no more is known. */
const unverified: VerificationFailure = { code: 'verification_failed', isFinal: false, isExplained: true };

/**
 * The failures by the value of the verification field; the first pattern that matches counts. Those of an unknown issuer
 * are the five that nginx and Apache ignore with `optional_no_ca`; OpenSSL before 3.0 writes "self signed". The words are
 * those of Apache (`GENEROUS`), Google and Cloudflare (`false`; `true` in `Cf-Cert-Revoked`), and of the shipped
 * configuration of Envoy (`FAILED`).
 */
const failures: readonly (readonly [RegExp, VerificationFailure])[] = [
  [/^(?:2|18|19|20|21|GENEROUS|false)$/, unknownIssuer],
  [/^FAILED:self[- ]signed/, unknownIssuer],
  [/^FAILED:unable to (?:get (?:local )?issuer certificate|verify the first certificate)/, unknownIssuer],
  [/^(?:23|true|FAILED:certificate revoked)$/, revoked],
  [/^(?:47|48|FAILED:(?:permitted|excluded) subtree violation)$/, excluded],
  [/^FAILED$/, unexplained],
  [/^(?:FAILED:|[2-9]$|[1-9]\d{1,2}$)/, other],
];

/** @param value of the verification field, which is not its success value; undefined if it is absent */
export function failureOf(value: string | undefined): VerificationFailure {
  if (value === undefined) return unverified;
  return failures.find(([pattern]) => pattern.test(value))?.[1] ?? unverified;
}

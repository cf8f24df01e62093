import type { HeaderFields } from '../http/header-fields.ts';
import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import { singleValue } from './single-value.ts';
import type { ChainVerification } from './terminator.ts';
import { describeResult, failureOf, type VerificationFailure } from './verification-results.ts';

/**
 * What the terminator reports about the chain: `absent` where its format has no field for it.
 * `reason` is the text for the operator.
 */
export type ForwardedVerification =
  | { readonly result: 'verified' | 'absent'; readonly reason: string }
  | { readonly result: 'failed'; readonly reason: string; readonly failure: VerificationFailure };

const MAX_QUOTED_LENGTH = 120;

/**
 * Reads the verification fields. A configured field that is missing counts as failed.
 *
 * @throws {ForwardingError} when a field appears more than once
 */
export function readVerification(headers: HeaderFields, { by, fields }: ChainVerification): ForwardedVerification {
  if (by === 'terminator' || by === 'header') {
    const rejection = unexpectedRejection(headers, fields);
    if (rejection) return rejection;
  }
  if (fields.length === 0) return { result: 'absent', reason: 'the terminator forwards no verification result' };
  let failed: { readonly reason: string; readonly failure: VerificationFailure } | undefined;
  for (const { header, successValue } of fields) {
    const value = singleValue(headers, header);
    if (value === successValue || failed?.failure.isFinal) continue;
    const failure = failureOf(value);
    if (!failed || failure.isFinal) failed = { reason: `${header} ${describeValue(value)}`, failure };
  }
  return failed ? { result: 'failed', ...failed } : success(fields);
}

const successes = new WeakMap<ChainVerification['fields'], ForwardedVerification>();

/** The result if every field has its success value: the same for each request. */
function success(fields: ChainVerification['fields']): ForwardedVerification {
  const known = successes.get(fields);
  if (known) return known;
  const reasons = fields.map(({ header, successValue }) => `${header} ${describeValue(successValue)}`);
  const verified = { result: 'verified', reason: reasons.join(', ') } as const;
  successes.set(fields, verified);
  return verified;
}

/**
 * A terminator that is trusted to verify certificates, and reports in a field that is not read that this one is not
 * verified: its configuration is the shipped one, which forwards them all. That of Caddy and Traefik, which cannot report
 * the result, sends a constant. The fields that are read instead may be those of the client, since that configuration does
 * not know them. A client that sends the header itself only rejects itself.
 */
function unexpectedRejection(
  headers: HeaderFields,
  fields: ChainVerification['fields'],
): ForwardedVerification | undefined {
  const value = headers.all(SHIPPED_VERIFY_HEADER).find((each) => each !== 'SUCCESS');
  if (value === undefined || fields.some(({ header }) => header === SHIPPED_VERIFY_HEADER)) return undefined;
  const cause = 'the terminator forwards certificates that it did not verify';
  const declared = `COUNTERSIGN_CHAIN_VERIFIED_BY${fields.length === 0 ? '=terminator' : ''}`;
  const fix = `remove ${declared} and set COUNTERSIGN_CLIENT_CA_FILE`;
  const failure = { code: 'verification_failed', isFinal: value !== UNVERIFIED, isExplained: true } as const;
  return { result: 'failed', reason: `${SHIPPED_VERIFY_HEADER} ${describeValue(value)}: ${cause}; ${fix}`, failure };
}

/** In which the shipped configurations of nginx, Envoy, Caddy and Traefik state whether a certificate is verified. */
const SHIPPED_VERIFY_HEADER = 'x-ssl-client-verify';
/** The constant of Caddy and Traefik: they reject no certificate, and it may be a registered one. */
const UNVERIFIED = 'UNVERIFIED';

function describeValue(value: string | undefined): string {
  if (value === undefined) return 'is absent';
  const meaning = describeResult(value);
  return `is "${value.slice(0, MAX_QUOTED_LENGTH)}"${meaning === undefined ? '' : ` (${meaning})`}`;
}

/**
 * Whether the chain of a certificate counts as verified, according to the configured {@link ChainVerification}. A
 * failed verification by the terminator is always final.
 *
 * @param forwarded what the terminator reports
 * @param verifyChain this server's own path validation
 */
export function chainStatus(
  presented: PresentedChain,
  forwarded: ForwardedVerification,
  verification: ChainVerification,
  verifyChain: (presented: PresentedChain) => ChainStatus,
): ChainStatus {
  if (forwarded.result === 'failed') return rejected(forwarded, () => verifyChain(presented), verification);
  switch (verification.by) {
    case 'countersign':
      return verifyChain(presented);
    case 'header':
      if (forwarded.result !== 'verified') {
        return { verified: false, code: 'verification_failed', reason: forwarded.reason };
      }
      return { verified: true, reason: forwarded.reason, paths: undefined };
    case 'terminator':
      return { verified: true, reason: 'COUNTERSIGN_CHAIN_VERIFIED_BY is terminator', paths: undefined };
    case 'none':
      return { verified: false, code: 'verification_unavailable', reason: verification.fix };
  }
}

/** @param verify this server's own validation, which explains a rejection without a reason */
function rejected(
  { reason, failure }: Extract<ForwardedVerification, { result: 'failed' }>,
  verify: () => ChainStatus,
  { by }: ChainVerification,
): ChainStatus {
  const { code, isFinal } = failure;
  if (failure.isExplained || by !== 'countersign') return { verified: false, code, reason, isFinal };
  const own = verify();
  // A postponed validation must not come to another result than the terminator later.
  if (!own.verified && own.postponed) return { verified: false, code, reason, isFinal };
  if (!own.verified) return { verified: false, code: own.code, reason: own.reason, isFinal };
  return { verified: false, code: 'verification_contradicted', reason: `${reason}, ${contradiction}`, isFinal };
}

/** The clause for a certificate that only the terminator rejects. */
export const contradiction =
  'and this server finds a valid path: compare the CA certificates, CRLs and clocks of the two';

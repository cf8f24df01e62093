import type { VerificationField } from './format.ts';
import type { HeaderFormatName } from './formats.ts';
import { type RawHeaders, singleValue } from './raw-headers.ts';
import type { ProxyTrust } from './trusted-proxy.ts';

/** The terminator in front, as configured: what it forwards, in which fields, and how we know that it is there. */
export interface Terminator {
  readonly name: HeaderFormatName;
  /** Field names in lower case. */
  readonly certificateHeader: string;
  readonly chainHeader: string | undefined;
  readonly verification: ChainVerification;
  readonly proxyTrust: ProxyTrust;
}

/** Every field that is read of a request because this terminator writes it, but for the proxy secret. */
export function forwardedHeaders(terminator: Omit<Terminator, 'proxyTrust'>): string[] {
  const { certificateHeader, chainHeader, verification } = terminator;
  return [certificateHeader, ...(chainHeader === undefined ? [] : [chainHeader]), ...verificationHeaders(verification)];
}

/** Who verifies the chain of a forwarded certificate, and the fields in which the terminator speaks about it. */
export type ChainVerification =
  /** We do, to the anchors of `COUNTERSIGN_CLIENT_CA_FILE`. Where there are fields they must agree. */
  | { readonly by: 'countersign'; readonly fields: readonly VerificationField[] }
  /** The terminator: all of its fields must say yes. */
  | { readonly by: 'header'; readonly fields: readonly [VerificationField, ...VerificationField[]] }
  /** The operator declares that the terminator admits none but verified chains. */
  | { readonly by: 'terminator'; readonly fields: readonly [] }
  /** Nobody, and what the operator could set to change that. */
  | { readonly by: 'none'; readonly fields: readonly VerificationField[]; readonly fix: string };

/** What the terminator said about the chain, and how to say so to an operator. */
export interface ForwardedVerification {
  /** `nothing` where it has no field for it. */
  readonly result: 'verified' | 'failed' | 'absent';
  readonly reason: string;
}

/**
 * Reads the verdict over the chain. Where there is a field for it, an absent one is a negative one.
 *
 * @throws {ForwardingError} malformed, when a field comes more than once
 */
export function readVerification(headers: RawHeaders, { fields }: ChainVerification): ForwardedVerification {
  if (fields.length === 0) return { result: 'absent', reason: 'the terminator forwards no verdict' };
  const answers = fields.map(({ header, successValue }) => {
    const value = singleValue(headers, header);
    const said = value === undefined ? 'is absent' : `is "${value.slice(0, 120)}"`;
    return { agrees: value === successValue, reason: `${header} ${said}` };
  });
  const against = answers.find(({ agrees }) => !agrees);
  if (against) return { result: 'failed', reason: against.reason };
  return { result: 'verified', reason: answers.map(({ reason }) => reason).join(', ') };
}

/** The fields that carry the verdict, in lower case. */
export function verificationHeaders({ fields }: ChainVerification): string[] {
  return fields.map(({ header }) => header);
}

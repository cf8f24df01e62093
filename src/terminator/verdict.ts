import type { VerdictField } from './header-format.ts';
import { oneValue, type RawHeaders } from './raw-headers.ts';

/** Who says whether the chain of a forwarded certificate is verified. */
export type ChainVerification =
  /** The fields beside the certificate; all of them must say yes. */
  | { readonly by: 'verdict'; readonly fields: readonly [VerdictField, ...VerdictField[]] }
  /** The operator: the terminator admits none but verified chains (`COUNTERSIGN_CHAIN_VERIFIED_BY=terminator`). */
  | { readonly by: 'terminator' }
  /** Nobody, and what the operator could set to change that. */
  | { readonly by: 'nobody'; readonly mend: string };

/** What was said about the chain, and how to say so to an operator. */
export interface Verdict {
  readonly verified: boolean;
  readonly reason: string;
}

/**
 * Reads the verdict over the chain. An absent one is a negative one.
 *
 * @throws {ForwardingError} malformed, when a field comes more than once
 */
export function readVerdict(headers: RawHeaders, verification: ChainVerification): Verdict {
  switch (verification.by) {
    case 'verdict':
      return allAgree(headers, verification.fields);
    case 'terminator':
      return { verified: true, reason: 'COUNTERSIGN_CHAIN_VERIFIED_BY is terminator' };
    case 'nobody':
      return { verified: false, reason: verification.mend };
  }
}

function allAgree(headers: RawHeaders, fields: readonly VerdictField[]): Verdict {
  const answers = fields.map(({ header, positive }) => {
    const value = oneValue(headers, header);
    const said = value === undefined ? 'is absent' : `is "${value.slice(0, 120)}"`;
    return { agrees: value === positive, reason: `${header} ${said}` };
  });
  const against = answers.find(({ agrees }) => !agrees);
  if (against) return { verified: false, reason: against.reason };
  return { verified: answers.length > 0, reason: answers.map(({ reason }) => reason).join(', ') };
}

/** The fields that carry the verdict, in lower case. */
export function verdictHeaders(verification: ChainVerification): string[] {
  return verification.by === 'verdict' ? verification.fields.map(({ header }) => header) : [];
}

import type { HeaderFormatName } from './header-formats.ts';
import type { HopTrust } from './hop.ts';
import { type ChainVerification, verdictHeaders } from './verdict.ts';

/** The terminator in front, as configured: what it forwards, in which fields, and how we know that it is there. */
export interface Terminator {
  readonly name: HeaderFormatName;
  /** Field names in lower case. */
  readonly certificateHeader: string;
  readonly chainHeader: string | undefined;
  readonly verification: ChainVerification;
  readonly hop: HopTrust;
}

/** Every field that is read of a request because this terminator writes it, but for the proxy secret. */
export function forwardedHeaders(terminator: Omit<Terminator, 'hop'>): string[] {
  const { certificateHeader, chainHeader, verification } = terminator;
  return [certificateHeader, ...(chainHeader === undefined ? [] : [chainHeader]), ...verdictHeaders(verification)];
}

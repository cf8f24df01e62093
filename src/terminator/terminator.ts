import type { VerificationField } from './format.ts';
import type { HeaderFormatName } from './formats.ts';
import type { ProxyTrust } from './trusted-proxy.ts';

/** The configured terminator: its header format, the headers it sets, and how it is authenticated. */
export interface Terminator {
  readonly name: HeaderFormatName;
  /** Header names are in lower case. */
  readonly certificateHeader: string;
  readonly chainHeader: string | undefined;
  readonly verification: ChainVerification;
  readonly proxyTrust: ProxyTrust;
}

/** Who verifies the certification path, and in which fields the terminator reports its own verification. */
export type ChainVerification =
  /** This server, to the trust anchors of `COUNTERSIGN_CLIENT_CA_FILE`. Every field, if any, must report success too. */
  | { readonly by: 'countersign'; readonly fields: readonly VerificationField[] }
  /** The terminator: every field must report success. */
  | { readonly by: 'header'; readonly fields: readonly [VerificationField, ...VerificationField[]] }
  /** The terminator: the operator declares that it accepts only clients whose chain it verified. */
  | { readonly by: 'terminator'; readonly fields: readonly [] }
  /** Not verified at all. `fix` names the settings that would change this. */
  | { readonly by: 'none'; readonly fields: readonly VerificationField[]; readonly fix: string };

/** Every header that is read because this terminator sets it, except the proxy secret; in lower case. */
export function forwardedHeaders(terminator: Omit<Terminator, 'proxyTrust'>): string[] {
  const { certificateHeader, chainHeader, verification } = terminator;
  const chain = chainHeader === undefined ? [] : [chainHeader];
  return [certificateHeader, ...chain, ...verification.fields.map(({ header }) => header)];
}

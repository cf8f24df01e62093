/** Whether a certificate counts of whose issuer there is no CRL that still counts. */
export type RevocationMode =
  /** No. */
  | 'require'
  /** Yes; what a CRL says, also one that is too old, is believed. */
  | 'prefer'
  /** Nobody asks: not even a CRL that is there counts. */
  | 'off';

export const revocationModes = ['require', 'prefer', 'off'] as const satisfies RevocationMode[];

export interface IssuerPolicy {
  readonly mode: RevocationMode;
  /** For how long after its nextUpdate a CRL still counts. */
  readonly maxStalenessMilliseconds: number;
}

/** For every CA, and for single ones, which are known by their public key (SHA-256, base64url). */
export interface RevocationPolicy {
  readonly usual: IssuerPolicy;
  readonly ofAuthority: ReadonlyMap<string, IssuerPolicy>;
}

export function policyOf(policy: RevocationPolicy, publicKeyThumbprint: string): IssuerPolicy {
  return policy.ofAuthority.get(publicKeyThumbprint) ?? policy.usual;
}

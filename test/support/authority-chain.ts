import type { CertificateAuthority, CertificateOptions } from './certificates.ts';

/** Authorities, each the issuer of the next. */
export interface AuthorityChain {
  readonly authorities: readonly CertificateAuthority[];
  readonly last: CertificateAuthority;
}

/** The chain below an authority, with these options for each level; the authority itself comes first in it. */
export function chainBelow(first: CertificateAuthority, levels: readonly CertificateOptions[]): AuthorityChain {
  const authorities = [first];
  let last = first;
  for (const options of levels) {
    last = last.issueAuthority(options);
    authorities.push(last);
  }
  return { authorities, last };
}

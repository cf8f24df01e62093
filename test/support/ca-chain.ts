import type { CertificateOptions, TestCa } from './certificates.ts';

/** Authorities, each the issuer of the next. */
export interface CaChain {
  readonly cas: readonly TestCa[];
  readonly last: TestCa;
}

/** The chain below an authority, with these options for each level; the authority itself comes first in it. */
export function chainBelow(first: TestCa, levels: readonly CertificateOptions[]): CaChain {
  const cas = [first];
  let last = first;
  for (const options of levels) {
    last = last.issueIntermediate(options);
    cas.push(last);
  }
  return { cas: cas, last };
}

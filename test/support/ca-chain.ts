import type { CertificateOptions, TestCa } from './certificates.ts';

/** CAs, each the issuer of the next. */
export interface CaChain {
  readonly cas: readonly TestCa[];
  readonly last: TestCa;
}

/** Creates a chain below a CA, which comes first, with these options for each level. */
export function chainBelow(first: TestCa, levels: readonly CertificateOptions[]): CaChain {
  const cas = [first];
  let last = first;
  for (const options of levels) {
    last = last.issueIntermediate(options);
    cas.push(last);
  }
  return { cas: cas, last };
}

import type { Certificate } from '../pki/certificate/certificate.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { type ConstrainedName, constrainedNames } from './constrained-names.ts';

/** How many names may be compared with subtrees while one leaf's paths are sought; a hostile path could ask for millions. */
const MAX_COMPARISONS = 100_000;

/** The names that are compared while one leaf's paths are sought, each read once, and how often that may be. */
export class NameComparisons {
  #left = MAX_COMPARISONS;
  readonly #names = new Map<Certificate, readonly ConstrainedName[]>();

  namesOf(certificate: Certificate, isLeaf: boolean): readonly ConstrainedName[] {
    const names = this.#names.get(certificate) ?? [...constrainedNames(certificate, isLeaf)];
    this.#names.set(certificate, names);
    return names;
  }

  /** @throws {CertificateError} when nothing is left */
  spend(): void {
    if (this.#left === 0)
      throw new CertificateError(`more than ${MAX_COMPARISONS} names to compare with name constraints`);
    this.#left -= 1;
  }
}

import { CertificateError } from '../certificate/certificate-error.ts';

/** How many names may be compared with subtrees while one leaf's paths are sought; a hostile path could ask for millions. */
const MAX_COMPARISONS = 100_000;

/** Counts comparisons, and ends the search when there were too many. */
export class ComparisonBudget {
  #left = MAX_COMPARISONS;

  /** @throws {CertificateError} when nothing is left */
  spend(): void {
    if (this.#left === 0)
      throw new CertificateError(`more than ${MAX_COMPARISONS} names to compare with name constraints`);
    this.#left -= 1;
  }
}

import type { Label, LabelledCertificate } from './mint-pki.ts';

/** Why one implementation accepts what the other rejects. */
export interface Disagreement {
  readonly because: string;
  /** What justifies the result of Countersign. */
  readonly section: string;
}

export type Concerns = (certificate: LabelledCertificate) => boolean;

/** Matches certificates with any of these labels. */
export function labelled(...labels: readonly Label[]): Concerns {
  return (certificate) => labels.some((label) => certificate.labels.includes(label));
}

/** Matches certificates with all of these labels. */
export function labelledAll(...labels: readonly Label[]): Concerns {
  return (certificate) => labels.every((label) => certificate.labels.includes(label));
}

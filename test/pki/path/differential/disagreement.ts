import type { Label, LabelledCertificate } from './mint-pki.ts';

/** Why one of us accepts what the other refuses. */
export interface Disagreement {
  readonly because: string;
  /** What makes ours right. */
  readonly section: string;
}

export type Concerns = (certificate: LabelledCertificate) => boolean;

/** Those with any of these labels. */
export function labelled(...labels: readonly Label[]): Concerns {
  return (certificate) => labels.some((label) => certificate.labels.includes(label));
}

/** Those with all of these labels. */
export function labelledAll(...labels: readonly Label[]): Concerns {
  return (certificate) => labels.every((label) => certificate.labels.includes(label));
}

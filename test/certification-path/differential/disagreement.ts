import type { Label, LabelledCertificate } from './mint-pki.ts';

/** Why one of us accepts what the other refuses. */
export interface Disagreement {
  /** Of which PKIs this can be said. */
  readonly applies: Applies;
  readonly because: string;
  /** What makes ours right. */
  readonly section: string;
}

/**
 * @param certificates the path, the leaf first; where we found none, all there are
 * @param others those that are not on the path
 */
export type Applies = (certificates: readonly LabelledCertificate[], others: readonly LabelledCertificate[]) => boolean;

/** Any of these labels, of any of the certificates. */
export function some(...labels: readonly Label[]): Applies {
  return (certificates) => certificates.some((one) => labels.some((label) => one.labels.includes(label)));
}

/** All of these labels, of one certificate. */
export function together(...labels: readonly Label[]): Applies {
  return (certificates) => certificates.some((one) => labels.every((label) => one.labels.includes(label)));
}

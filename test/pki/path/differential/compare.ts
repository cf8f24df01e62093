import { type CountersignResult, verifyWithCountersign } from './countersign-result.ts';
import { explainAcceptance, explainRejection } from './explain.ts';
import { type MintedPki, mintPki } from './mint-pki.ts';
import { acceptedByOpenssl, verifyWithOpenssl } from './openssl-result.ts';
import type { PkiPlan } from './random-pki.ts';

/** The result for one PKI. */
export type Comparison =
  | { readonly kind: 'both accept' | 'both reject' }
  /** `rows` are the keys of the table that explain it. */
  | { readonly kind: 'disagreement'; readonly rows: readonly string[] }
  | { readonly kind: 'unexplained'; readonly what: string };

/** @param folder for temporary files; not used by others at the same time */
export async function compare(folder: string, plans: readonly PkiPlan[], first: number): Promise<Comparison[]> {
  const pkis = plans.map((plan, index) => mintPki(plan, first + index));
  const theirs = await acceptedByOpenssl(folder, pkis);
  const comparisons: Comparison[] = [];
  for (const [index, pki] of pkis.entries()) {
    const ours = verifyWithCountersign(pki);
    if (ours.accepted === theirs[index]) comparisons.push({ kind: ours.accepted ? 'both accept' : 'both reject' });
    else comparisons.push(await explain(folder, pki, ours));
  }
  return comparisons;
}

async function explain(folder: string, pki: MintedPki, ours: CountersignResult): Promise<Comparison> {
  const theirs = await verifyWithOpenssl(folder, pki);
  if (ours.accepted && !theirs.accepted) {
    return await explainAcceptance(pki, ours, theirs, (chain) => verifyWithOpenssl(folder, chain));
  }
  if (!ours.accepted && theirs.accepted)
    return await explainRejection(pki, ours, (chain) => verifyWithOpenssl(folder, chain));
  return { kind: 'unexplained', what: `OpenSSL has another result for this PKI alone: ${JSON.stringify(theirs)}` };
}

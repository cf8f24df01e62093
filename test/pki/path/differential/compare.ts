import { type CountersignResult, verifyWithCountersign } from './countersign-result.ts';
import { explainAcceptance, explainRefusal } from './explain.ts';
import { type MintedPki, mintPki } from './mint-pki.ts';
import { acceptedByOpenssl, verifyWithOpenssl } from './openssl-result.ts';
import type { PkiPlan } from './random-pki.ts';

/** What came of one PKI. */
export type Comparison =
  | { readonly kind: 'both accept' | 'both refuse' }
  /** `rows` are the keys of the table that explain it. */
  | { readonly kind: 'disagreement'; readonly rows: readonly string[] }
  | { readonly kind: 'unexplained'; readonly what: string };

/** @param folder for files, nobody else's for as long as this takes */
export async function compare(folder: string, plans: readonly PkiPlan[], first: number): Promise<Comparison[]> {
  const pkis = plans.map((plan, index) => mintPki(plan, first + index));
  const theirs = await acceptedByOpenssl(folder, pkis);
  const comparisons: Comparison[] = [];
  for (const [index, pki] of pkis.entries()) {
    const ours = verifyWithCountersign(pki);
    if (ours.accepted === theirs[index]) comparisons.push({ kind: ours.accepted ? 'both accept' : 'both refuse' });
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
    return await explainRefusal(pki, ours, (chain) => verifyWithOpenssl(folder, chain));
  return { kind: 'unexplained', what: `OpenSSL says something else about this PKI alone: ${JSON.stringify(theirs)}` };
}

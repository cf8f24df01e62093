import { acceptedOnlyByCountersign } from './accepted-only-by-countersign.ts';
import type { Comparison } from './compare.ts';
import type { CountersignResult } from './countersign-result.ts';
import type { LabelledCertificate, MintedPki } from './mint-pki.ts';
import type { Chain, OpensslResult } from './openssl-result.ts';
import { rejectedOnlyByCountersign } from './rejected-only-by-countersign.ts';

type Accepted = Extract<CountersignResult, { accepted: true }>;
type Rejected<Result> = Extract<Result, { accepted: false }>;
type Ask = (chain: Chain) => Promise<OpensslResult>;

/**
 * Explains an acceptance: OpenSSL verifies each path separately, and every path must have a row in the table.
 *
 * @param theirs the result for the whole PKI
 */
export async function explainAcceptance(
  pki: MintedPki,
  { paths }: Accepted,
  theirs: Rejected<OpensslResult>,
  ask: Ask,
): Promise<Comparison> {
  const rows: string[] = [];
  for (const cas of paths) {
    const path = [pki.leaf, ...cas];
    const others = [...pki.anchors, ...pki.intermediates].filter(({ der }) => !path.some((one) => one.der === der));
    const alone = await ask({
      leaf: pki.leaf,
      anchors: cas.slice(-1),
      intermediates: cas.slice(0, -1),
    });
    const row = rowFor(alone.accepted ? 0 : alone.error, path, others);
    const about = alone.accepted ? `of the whole ${theirs.error} ${theirs.text}` : `${alone.error} ${alone.text}`;
    if (row === undefined)
      return { kind: 'unexplained', what: `Countersign accepts ${labelsOf(path)}; OpenSSL reports ${about}` };
    rows.push(row);
  }
  return { kind: 'disagreement', rows: [...new Set(rows)] };
}

function rowFor(error: number, path: readonly LabelledCertificate[], others: readonly LabelledCertificate[]) {
  const rows = Object.entries(acceptedOnlyByCountersign);
  return rows.find(([, row]) => row.errors.includes(error) && row.applies(path, others))?.[0];
}

/** Explains a rejection. If OpenSSL needs CA certificates that Countersign cannot load, the reason is why it cannot. */
export async function explainRejection(
  pki: MintedPki,
  ours: Rejected<CountersignResult>,
  ask: Ask,
): Promise<Comparison> {
  const { anchors, intermediates, problems } = ours.usable;
  const isRead = !ours.reason.startsWith('the leaf ');
  const needsOthers = isRead && !(await ask({ leaf: pki.leaf, anchors, intermediates })).accepted;
  const reasons = needsOthers
    ? [...problems, ...(anchors.length < pki.anchors.length ? ['no anchor'] : [])]
    : [ours.reason];
  const all = [pki.leaf, ...pki.intermediates, ...pki.anchors];
  const matching = Object.entries(rejectedOnlyByCountersign).filter(
    ([, { ours, concerns }]) => reasons.some((reason) => ours.test(reason)) && all.some(concerns),
  );
  const rows = matching.length > 0 ? matching.map(([name]) => name) : await rowsWithout(pki, ask);
  if (rows.length > 0) return { kind: 'disagreement', rows };
  return { kind: 'unexplained', what: `OpenSSL accepts ${labelsOf(all)}; Countersign reports: ${reasons.join('; ')}` };
}

/**
 * Of several paths Countersign reports the violation of one, and OpenSSL may have used another. Then OpenSSL also rejects
 * the PKI without the CA certificates that a row is about.
 */
async function rowsWithout({ leaf, anchors, intermediates }: MintedPki, ask: Ask): Promise<string[]> {
  const rows = Object.entries(rejectedOnlyByCountersign).filter(([, row]) =>
    [...anchors, ...intermediates].some(row.concerns),
  );
  const rest = (list: readonly LabelledCertificate[]) =>
    list.filter((certificate) => !rows.some(([, row]) => row.concerns(certificate)));
  const result = await ask({ leaf, anchors: rest(anchors), intermediates: rest(intermediates) });
  return result.accepted ? [] : rows.map(([name]) => name);
}

function labelsOf(certificates: readonly LabelledCertificate[]): string {
  return certificates.map(({ labels }) => `[${labels.join()}]`).join(' ← ');
}

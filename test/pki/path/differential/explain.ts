import { acceptedOnlyByCountersign } from './accepted-only-by-countersign.ts';
import type { Comparison } from './compare.ts';
import type { CountersignResult } from './countersign-result.ts';
import type { LabelledCertificate, MintedPki } from './mint-pki.ts';
import type { Chain, OpensslResult } from './openssl-result.ts';
import { rejectedOnlyByCountersign } from './rejected-only-by-countersign.ts';

type Accepted = Extract<CountersignResult, { accepted: true }>;
type Refused<Verdict> = Extract<Verdict, { accepted: false }>;
type Ask = (chain: Chain) => Promise<OpensslResult>;

/**
 * Each path that we found is shown to OpenSSL alone: what it says then is about that path. Every path must have a row.
 *
 * @param theirs about the whole PKI
 */
export async function explainAcceptance(
  pki: MintedPki,
  { paths }: Accepted,
  theirs: Refused<OpensslResult>,
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
    if (row === undefined) return { kind: 'unexplained', what: `we accept ${labelsOf(path)}; OpenSSL says ${about}` };
    rows.push(row);
  }
  return { kind: 'disagreement', rows: [...new Set(rows)] };
}

function rowFor(error: number, path: readonly LabelledCertificate[], others: readonly LabelledCertificate[]) {
  const rows = Object.entries(acceptedOnlyByCountersign);
  return rows.find(([, row]) => row.errors.includes(error) && row.applies(path, others))?.[0];
}

/** Where OpenSSL accepts only by authorities that we take for none, the reason is why we do not. */
export async function explainRefusal(pki: MintedPki, ours: Refused<CountersignResult>, ask: Ask): Promise<Comparison> {
  const { anchors, intermediates, problems } = ours.usable;
  const isRead = !ours.reason.startsWith('the leaf ');
  const needsOthers = isRead && !(await ask({ leaf: pki.leaf, anchors, intermediates })).accepted;
  const reasons = needsOthers
    ? [...problems, ...(anchors.length < pki.anchors.length ? ['no anchor'] : [])]
    : [ours.reason];
  const all = [pki.leaf, ...pki.intermediates, ...pki.anchors];
  const saying = Object.entries(rejectedOnlyByCountersign).filter(
    ([, { ours, concerns }]) => reasons.some((reason) => ours.test(reason)) && all.some(concerns),
  );
  const rows = saying.length > 0 ? saying.map(([name]) => name) : await rowsWithout(pki, ask);
  if (rows.length > 0) return { kind: 'disagreement', rows };
  return { kind: 'unexplained', what: `OpenSSL accepts ${labelsOf(all)}; we say: ${reasons.join('; ')}` };
}

/**
 * Of several ways we tell the fault of one, and OpenSSL may have gone another: then it refuses as well where it is shown
 * none of the authorities that a row is about.
 */
async function rowsWithout({ leaf, anchors, intermediates }: MintedPki, ask: Ask): Promise<string[]> {
  const rows = Object.entries(rejectedOnlyByCountersign).filter(([, row]) =>
    [...anchors, ...intermediates].some(row.concerns),
  );
  const rest = (list: readonly LabelledCertificate[]) =>
    list.filter((one) => !rows.some(([, row]) => row.concerns(one)));
  const shown = await ask({ leaf, anchors: rest(anchors), intermediates: rest(intermediates) });
  return shown.accepted ? [] : rows.map(([name]) => name);
}

function labelsOf(certificates: readonly LabelledCertificate[]): string {
  return certificates.map(({ labels }) => `[${labels.join()}]`).join(' ← ');
}

import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { Observation, Outcome } from '../../observer/observe.ts';
import { digestOf, type ObservedField } from '../../observer/observed-fields.ts';
import { describeOwnCertificate } from '../client-key-pair.ts';
import type { Forgery } from '../forgeries/forgery.ts';
import { describeResponse, type PresentedAs, type ProbeResponse, type TrialResult } from '../trial.ts';

/**
 * The outcome of a forgery.
 *
 * - `accepted`: the server accepted a certificate, or a chain as verified, without proof
 * - `ignored`: the forged fields arrived and were ignored
 * - `removed`: the request arrived without them, or with the proxy's own fields in their place
 * - `rejected_by_server`: the server rejected the request
 * - `rejected_by_proxy`: the request did not arrive, or the server rejected it as malformed HTTP
 * - `not_observed`: no queried server observed the request, and whether the forgery was accepted is unknown
 */
export type ForgeryOutcome =
  | 'accepted'
  | 'ignored'
  | 'removed'
  | 'rejected_by_server'
  | 'rejected_by_proxy'
  | 'not_observed';

interface ForgeryResult {
  readonly outcome: ForgeryOutcome;
  readonly detail: string;
}

/** What holds regardless of any forgery. */
export interface GroundTruth {
  readonly ownThumbprint: string;
  /** Whether the server accepts its chain as verified at the mutual TLS URL without any forgery. */
  readonly ownVerified: boolean;
  readonly ownGenerated: boolean;
  readonly untrustedThumbprint: string;
  /** As `ownVerified`. It should be false; where it is true, no forgery is the cause. */
  readonly untrustedVerified: boolean;
  readonly forgedThumbprint: string;
}

/** @param baseline the observation of the same request without the forgery */
export function evaluateForgery(
  result: TrialResult,
  baseline: Observation | undefined,
  groundTruth: GroundTruth,
): ForgeryResult {
  const accepted = result.observations.map(({ outcome }) => falseAcceptance(outcome, result.presented, groundTruth));
  // A false acceptance of the baseline is not an effect of the forgery.
  const known = baseline && falseAcceptance(baseline.outcome, result.presented, groundTruth);
  const caused = accepted.find((one) => one !== undefined && one !== known);
  if (caused !== undefined) return { outcome: 'accepted', detail: caused };
  const observation = result.observations.at(-1);
  return observation ? evaluateObserved(observation, baseline, result, groundTruth) : evaluateUnobserved(result);
}

/** Describes what the server accepted without proof; undefined when it accepted nothing of that kind. */
export function falseAcceptance(
  outcome: Outcome,
  presented: PresentedAs,
  groundTruth: GroundTruth,
): string | undefined {
  if (outcome.kind !== 'accepted') return undefined;
  const { thumbprint, chain } = outcome;
  if (thumbprint === groundTruth.forgedThumbprint) return 'the forged certificate was accepted';
  if (presented === 'none') return `a certificate was accepted although none was presented: ${thumbprint}`;
  const { description, ...expected } = presentedCertificate(presented, groundTruth);
  if (thumbprint !== expected.thumbprint)
    return `a certificate other than the presented one was accepted: ${thumbprint}`;
  if (chain.verified && !expected.verified) {
    return `the chain of ${description} was accepted as verified: ${chain.reason}`;
  }
  return undefined;
}

function presentedCertificate(presented: Exclude<PresentedAs, 'none'>, groundTruth: GroundTruth) {
  const { ownThumbprint, ownVerified, ownGenerated, untrustedThumbprint, untrustedVerified } = groundTruth;
  if (presented === 'untrusted') {
    return { description: 'a self-signed certificate', thumbprint: untrustedThumbprint, verified: untrustedVerified };
  }
  const description = describeOwnCertificate({ generated: ownGenerated });
  return { description, thumbprint: ownThumbprint, verified: ownVerified };
}

function evaluateObserved(
  { fields, outcome }: Observation,
  baseline: Observation | undefined,
  { presented, forgery }: TrialResult,
  groundTruth: GroundTruth,
): ForgeryResult {
  if (outcome.kind === 'rejected') return { outcome: 'rejected_by_server', detail: outcome.reason };
  const arrived = forgedAmong(changedFields(fields, baseline?.fields ?? []), forgery);
  if (arrived.length === 0) return { outcome: 'removed', detail: 'it did not arrive' };
  const names = [...new Set(arrived.map(({ name }) => name))].join(', ');
  const accepted = presented === 'none' ? 'no certificate' : presentedCertificate(presented, groundTruth).description;
  const instead = outcome.kind === 'absent' ? outcome.reason : `${accepted} was accepted`;
  return { outcome: 'ignored', detail: `${names} arrived; ${instead}` };
}

/** Fields that concern the request and not the certificate. */
const otherFields: ReadonlySet<string> = new Set(['host', 'connection', 'trailer', 'early-data', PROXY_SECRET_HEADER]);

function changedFields(fields: readonly ObservedField[], baseline: readonly ObservedField[]): ObservedField[] {
  const known = new Set(baseline.map(keyOf));
  return fields.filter((field) => !otherFields.has(field.name.toLowerCase()) && !known.has(keyOf(field)));
}

/** A proxy may write any value in the fields of other formats, so only exactly the forged values count there. */
function forgedAmong(fields: readonly ObservedField[], { family, http2 = [] }: Forgery): readonly ObservedField[] {
  if (family !== 'other_format') return fields;
  const sent = new Set(http2.map(([name, value]) => keyOf({ name, digest: digestOf(value) })));
  return fields.filter((field) => sent.has(keyOf(field)));
}

function keyOf({ name, digest }: Pick<ObservedField, 'name' | 'digest'>): string {
  return `${name.toLowerCase()} ${digest}`;
}

const failuresBeforeRequest: readonly ProbeResponse['kind'][] = [
  'unreachable',
  'untrusted',
  'outside_validity',
  'name_mismatch',
];

function evaluateUnobserved({ response, mayBeOtherReplica }: TrialResult): ForgeryResult {
  const detail = describeResponse(response);
  if (mayBeOtherReplica) {
    return { outcome: 'not_observed', detail: `rejected by the proxy (${detail}), or answered by another replica` };
  }
  const status = response.kind === 'answered' ? response.status : null;
  const isInconclusive = isProxyUnavailable(status) || failuresBeforeRequest.includes(response.kind);
  return { outcome: isInconclusive ? 'not_observed' : 'rejected_by_proxy', detail };
}

const unavailableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Whether the status means that the proxy is overloaded, limits requests or does not reach the server: it does not
 * depend on the forgery.
 *
 * @param status null without a response
 */
export function isProxyUnavailable(status: number | null): boolean {
  return status !== null && unavailableStatuses.has(status);
}

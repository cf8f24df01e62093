import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { Observation, Outcome } from '../../observer/observe.ts';
import { digestOf, type ObservedField } from '../../observer/observed-fields.ts';
import type { Forgery } from '../forgeries/forgery.ts';
import { nameOwn } from '../identity.ts';
import { describeResponse, type ProbeResponse, type TrialResult } from '../trial.ts';

/**
 * What became of a forgery.
 *
 * - `got_through`: the server believed what nobody proved
 * - `ignored`: it arrived, and was not believed
 * - `removed`: the request arrived without it, or with the proxy's own fields in its place
 * - `refused_by_server`: the server refused the request
 * - `refused_by_proxy`: the request did not arrive, or was so malformed that the server's parser refused it
 * - `not_seen`: nobody whom we ask has seen the request; whether it was believed is not known
 */
export type ForgeryOutcome =
  | 'got_through'
  | 'ignored'
  | 'removed'
  | 'refused_by_server'
  | 'refused_by_proxy'
  | 'not_seen';

export interface ForgeryResult {
  readonly outcome: ForgeryOutcome;
  readonly detail: string;
}

/** What is true, whatever is forged. */
export interface GroundTruth {
  readonly ownThumbprint: string;
  readonly victimThumbprint: string;
  /** Whether the chain of the own certificate counts as verified when it is shown to the mutual TLS host as usual. */
  readonly ownVerified: boolean;
  /** The same of the certificate that was made for this run. It should not; where it does, no forgery is to blame. */
  readonly untrustedThumbprint: string;
  readonly untrustedVerified: boolean;
  /** Whether the own certificate was made for this run, too. */
  readonly ownMade: boolean;
}

/**
 * @param usual what arrives the same way when nothing is forged
 */
export function evaluateForgery(tried: TrialResult, usual: Observation | undefined, truth: GroundTruth): ForgeryResult {
  const problems = tried.observations.map(({ outcome }) => spoofAccepted(outcome, tried.presented, truth));
  // What is believed as well when nothing is forged, no forgery has brought about.
  const known = usual && spoofAccepted(usual.outcome, tried.presented, truth);
  const fault = problems.find((one) => one !== undefined && one !== known);
  if (fault !== undefined) return { outcome: 'got_through', detail: fault };
  const observation = tried.observations.at(-1);
  return observation ? evaluateObserved(observation, usual, tried, truth) : evaluateUnobserved(tried);
}

/** What is believed and not true, or undefined. */
export function spoofAccepted(
  believed: Outcome,
  shown: TrialResult['presented'],
  truth: GroundTruth,
): string | undefined {
  if (believed.kind !== 'certificate') return undefined;
  const { thumbprint, chain } = believed;
  if (thumbprint === truth.victimThumbprint) return 'the forged certificate was believed';
  if (shown === 'none') return `a certificate was believed where none was shown: ${thumbprint}`;
  const { called, ...expected } = shownAs(shown, truth);
  if (thumbprint !== expected.thumbprint)
    return `another certificate was believed than the one presented: ${thumbprint}`;
  if (chain.verified && !expected.verified) return `the chain of ${called} counts as verified: ${chain.reason}`;
  return undefined;
}

function shownAs(shown: 'own' | 'stranger', truth: GroundTruth) {
  const { ownThumbprint, ownVerified, ownMade, untrustedThumbprint, untrustedVerified } = truth;
  const called = nameOwn({ made: ownMade });
  if (shown === 'own') return { called, thumbprint: ownThumbprint, verified: ownVerified };
  return { called: 'a self-signed certificate', thumbprint: untrustedThumbprint, verified: untrustedVerified };
}

function nameShown(shown: TrialResult['presented'], truth: GroundTruth): string {
  return shown === 'none' ? 'no certificate' : shownAs(shown, truth).called;
}

function evaluateObserved(
  { fields, outcome }: Observation,
  usual: Observation | undefined,
  tried: TrialResult,
  truth: GroundTruth,
): ForgeryResult {
  if (outcome.kind === 'refused') return { outcome: 'refused_by_server', detail: outcome.reason };
  const arrived = forgedAmong(unusualFields(fields, usual?.fields ?? []), tried.forgery);
  if (arrived.length === 0) return { outcome: 'removed', detail: 'it did not arrive' };
  const names = [...new Set(arrived.map(({ name }) => name))].join(', ');
  const instead = outcome.kind === 'none' ? outcome.reason : `${nameShown(tried.presented, truth)} was believed`;
  return { outcome: 'ignored', detail: `${names} arrived; ${instead}` };
}

/** They say how a request comes, and no certificate. */
const aside: ReadonlySet<string> = new Set(['host', 'connection', 'trailer', 'early-data', PROXY_SECRET_HEADER]);

function unusualFields(fields: readonly ObservedField[], usual: readonly ObservedField[]): ObservedField[] {
  const known = new Set(usual.map(keyOf));
  return fields.filter((field) => !aside.has(field.name.toLowerCase()) && !known.has(keyOf(field)));
}

/** In the fields of other formats a proxy may write what it likes, and something else each time: only ours count. */
function forgedAmong(fields: readonly ObservedField[], { family, http2 = [] }: Forgery): readonly ObservedField[] {
  if (family !== 'other_format') return fields;
  const sent = new Set(http2.map(([name, value]) => keyOf({ name, digest: digestOf(value) })));
  return fields.filter((field) => sent.has(keyOf(field)));
}

function keyOf({ name, digest }: Pick<ObservedField, 'name' | 'digest'>): string {
  return `${name.toLowerCase()} ${digest}`;
}

/** The proxy is overloaded, limits us, or does not reach the server: it says nothing about the forgery. */
/** Of an response; null where there was none. */
export function isBusy(status: number | null): boolean {
  return status !== null && busy.has(status);
}

const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const notSpokenTo: readonly ProbeResponse['kind'][] = ['unreachable', 'untrusted', 'outdated', 'misnamed'];

function evaluateUnobserved(tried: TrialResult): ForgeryResult {
  const { response } = tried;
  const detail = describeResponse(response);
  if (tried.elsewhere) {
    return { outcome: 'not_seen', detail: `refused by the proxy (${detail}), or answered by another replica` };
  }
  if (isBusy(response.kind === 'answered' ? response.status : null)) return { outcome: 'not_seen', detail };
  if (notSpokenTo.includes(response.kind)) return { outcome: 'not_seen', detail };
  return { outcome: 'refused_by_proxy', detail };
}

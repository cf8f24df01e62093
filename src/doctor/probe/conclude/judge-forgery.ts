import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { Believed, Observation } from '../../observer/observe.ts';
import { digestOf, type ObservedField } from '../../observer/observed-fields.ts';
import type { Forgery } from '../forgeries/forgery.ts';
import { nameOwn } from '../identity.ts';
import { type Answer, describeAnswer, type Tried } from '../trial.ts';

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
export type Outcome = 'got_through' | 'ignored' | 'removed' | 'refused_by_server' | 'refused_by_proxy' | 'not_seen';

export interface Judgement {
  readonly outcome: Outcome;
  readonly detail: string;
}

/** What is true, whatever is forged. */
export interface Truth {
  readonly ownThumbprint: string;
  readonly victimThumbprint: string;
  /** Whether the chain of the own certificate counts as verified when it is shown to the mutual TLS host as usual. */
  readonly ownVerified: boolean;
  /** The same of the certificate that was made for this run. It should not; where it does, no forgery is to blame. */
  readonly strangerThumbprint: string;
  readonly strangerVerified: boolean;
  /** Whether the own certificate was made for this run, too. */
  readonly ownMade: boolean;
}

/**
 * @param usual what arrives the same way when nothing is forged
 */
export function judgeForgery(tried: Tried, usual: Observation | undefined, truth: Truth): Judgement {
  const faults = tried.observations.map(({ believed }) => falseBelief(believed, tried.shown, truth));
  // What is believed as well when nothing is forged, no forgery has brought about.
  const known = usual && falseBelief(usual.believed, tried.shown, truth);
  const fault = faults.find((one) => one !== undefined && one !== known);
  if (fault !== undefined) return { outcome: 'got_through', detail: fault };
  const observation = tried.observations.at(-1);
  return observation ? judgeObserved(observation, usual, tried, truth) : judgeUnobserved(tried);
}

/** What is believed and not true, or undefined. */
export function falseBelief(believed: Believed, shown: Tried['shown'], truth: Truth): string | undefined {
  if (believed.kind !== 'certificate') return undefined;
  const { thumbprint, chain } = believed;
  if (thumbprint === truth.victimThumbprint) return 'the forged certificate was believed';
  if (shown === 'none') return `a certificate was believed where none was shown: ${thumbprint}`;
  const { called, ...expected } = shownAs(shown, truth);
  if (thumbprint !== expected.thumbprint) return `another certificate was believed than the one shown: ${thumbprint}`;
  if (chain.verified && !expected.verified) return `the chain of ${called} counts as verified: ${chain.reason}`;
  return undefined;
}

function shownAs(shown: 'own' | 'stranger', truth: Truth) {
  const { ownThumbprint, ownVerified, ownMade, strangerThumbprint, strangerVerified } = truth;
  const called = nameOwn({ made: ownMade });
  if (shown === 'own') return { called, thumbprint: ownThumbprint, verified: ownVerified };
  return { called: 'a self-signed certificate', thumbprint: strangerThumbprint, verified: strangerVerified };
}

function nameShown(shown: Tried['shown'], truth: Truth): string {
  return shown === 'none' ? 'no certificate' : shownAs(shown, truth).called;
}

function judgeObserved(
  { fields, believed }: Observation,
  usual: Observation | undefined,
  tried: Tried,
  truth: Truth,
): Judgement {
  if (believed.kind === 'refused') return { outcome: 'refused_by_server', detail: believed.reason };
  const arrived = forgedAmong(unusualFields(fields, usual?.fields ?? []), tried.forgery);
  if (arrived.length === 0) return { outcome: 'removed', detail: 'it did not arrive' };
  const names = [...new Set(arrived.map(({ name }) => name))].join(', ');
  const instead = believed.kind === 'none' ? believed.reason : `${nameShown(tried.shown, truth)} was believed`;
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
/** Of an answer; null where there was none. */
export function isBusy(status: number | null): boolean {
  return status !== null && busy.has(status);
}

const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const notSpokenTo: readonly Answer['kind'][] = ['unreachable', 'untrusted', 'outdated', 'misnamed'];

function judgeUnobserved(tried: Tried): Judgement {
  const { answer } = tried;
  const detail = describeAnswer(answer);
  if (tried.elsewhere) {
    return { outcome: 'not_seen', detail: `refused by the proxy (${detail}), or answered by another replica` };
  }
  if (isBusy(answer.kind === 'answered' ? answer.status : null)) return { outcome: 'not_seen', detail };
  if (notSpokenTo.includes(answer.kind)) return { outcome: 'not_seen', detail };
  return { outcome: 'refused_by_proxy', detail };
}

import { identityHeaders } from '../../../edge/approval.ts';
import { knownHeaders } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { Arrival, ArrivedField } from '../../observer/arrival.ts';
import { normalizedName } from '../../observer/observed-fields.ts';
import { isProxyUnavailable } from '../conclude/evaluate-forgery.ts';
import { describeResponse } from '../trial.ts';
import type { EdgeProblem } from './edge-fixes.ts';
import { type EdgeTrialResult, FORGED } from './edge-trials.ts';

/**
 * The outcome of a request at the edge.
 *
 * - `vulnerable`: it reached the upstream and should not have, or with an identity that the edge did not state
 * - `in_trailer`: it reached the upstream with the forged fields as trailers
 * - `identified`: it reached the upstream with the identity that the edge stated, and no other
 * - `denied`: HTTP 401 or 403
 * - `stopped`: the proxy rejected it in another way, before or after the check
 * - `not_observed`: whether it reached the upstream is unknown
 */
export type EdgeOutcome = 'vulnerable' | 'in_trailer' | 'identified' | 'denied' | 'stopped' | 'not_observed';

export interface EdgeEvaluation {
  readonly outcome: EdgeOutcome;
  /** What is wrong; each has a fix. */
  readonly problems: readonly { readonly kind: EdgeProblem; readonly text: string }[];
  readonly detail: string;
}

const identityNames = Object.keys(identityHeaders).map((name) => name.toLowerCase());

/** @param baseline what arrived with the operator's certificate and without any forgery, if that did */
export function evaluateArrival(result: EdgeTrialResult, baseline: Arrival | undefined): EdgeEvaluation {
  const { arrival } = result;
  if (!arrival) return evaluateUnarrived(result);
  const problems = [
    ...unchecked(result),
    ...forgedFields(result, arrival, baseline),
    ...foreignToken(arrival),
    ...contradictions(arrival),
    ...(result.presented === 'own' ? lostHeaders(arrival, baseline) : []),
  ];
  const texts = problems.map(({ text }) => text);
  if (problems.length > 0) return { outcome: 'vulnerable', problems, detail: texts.join('; ') };
  const trailers = arrival.fields.filter((field) => field.in === 'trailer');
  if (trailers.length > 0)
    return { outcome: 'in_trailer', problems, detail: `${namesOf(trailers)} arrived as trailers` };
  return { outcome: 'identified', problems, detail: 'it arrived with the identity that the edge stated' };
}

type Problem = EdgeEvaluation['problems'][number];

/** The edge approves no request without a registered certificate. */
function unchecked({ presented }: EdgeTrialResult): Problem[] {
  if (presented === 'own') return [];
  const certificate = presented === 'none' ? 'without a certificate' : 'with an unknown self-signed certificate';
  return [{ kind: 'unchecked', text: `a request ${certificate} reached the upstream` }];
}

function forgedFields({ presented }: EdgeTrialResult, { fields }: Arrival, baseline: Arrival | undefined): Problem[] {
  const headers = fields.filter((field) => field.in === 'header');
  // With another certificate or none, the proxy forwards other values.
  const known = presented === 'own' && baseline ? new Set(baseline.fields.map(keyOf)) : undefined;
  const forged = headers.filter((field) => field.value.includes(FORGED) || isOtherCertificate(field, known));
  const secret = headers.filter(({ name }) => normalizedName(name) === PROXY_SECRET_HEADER);
  return [
    ...(forged.length > 0
      ? [{ kind: 'forged' as const, text: `${namesOf(forged)} of the client reached the upstream` }]
      : []),
    ...(secret.length > 0 ? [{ kind: 'forged' as const, text: `${namesOf(secret)} reached the upstream` }] : []),
  ];
}

/** A certificate header that did not arrive without the forgery. */
function isOtherCertificate(field: ArrivedField, known: ReadonlySet<string> | undefined): boolean {
  return knownHeaders.has(normalizedName(field.name)) && known !== undefined && !known.has(keyOf(field));
}

function keyOf({ name, digest }: ArrivedField): string {
  return `${name.toLowerCase()} ${digest}`;
}

function foreignToken({ token }: Arrival): Problem[] {
  if (token.kind !== 'invalid') return [];
  return [
    {
      kind: 'authorization',
      text: `an Authorization that is not a token of this server reached the upstream (${token.reason})`,
    },
  ];
}

/** The headers must agree with the token. The scope may be that of the resource alone. */
function contradictions({ fields, token }: Arrival): Problem[] {
  if (token.kind !== 'valid') return [];
  const { identity } = token;
  const wrong = fields.filter(({ in: place, name, value }) => {
    const expected = identity[name.toLowerCase()];
    if (place === 'trailer' || expected === undefined || name.toLowerCase() === 'x-countersign-scope') return false;
    return value !== expected.slice(0, value.length) || value === '';
  });
  if (wrong.length === 0) return [];
  return [{ kind: 'contradiction', text: `${namesOf(wrong)} did not agree with the token` }];
}

/** A client must not be able to remove what the edge states either. */
function lostHeaders(arrival: Arrival, baseline: Arrival | undefined): Problem[] {
  const lost = presentNames(baseline).filter((name) => !presentNames(arrival).includes(name));
  if (lost.length === 0) return [];
  return [{ kind: 'lost', text: `the client removed ${lost.join(', ')}` }];
}

/** The identity headers that arrived exactly once, in lower case. */
function presentNames(arrival: Arrival | undefined): string[] {
  const headers = arrival?.fields.filter((field) => field.in === 'header').map(({ name }) => name.toLowerCase()) ?? [];
  return identityNames.filter((name) => headers.filter((header) => header === name).length === 1);
}

/** The identity headers that did not arrive with the operator's certificate, without any forgery. */
export function missingNames(arrival: Arrival): string[] {
  const present = presentNames(arrival);
  return identityNames.filter((name) => !present.includes(name));
}

function namesOf(fields: readonly ArrivedField[]): string {
  return [...new Set(fields.map(({ name }) => name))].join(', ');
}

function evaluateUnarrived({ response }: EdgeTrialResult): EdgeEvaluation {
  const detail = describeResponse(response);
  const evaluation = (outcome: EdgeOutcome): EdgeEvaluation => ({ outcome, problems: [], detail });
  if (response.kind === 'closed') return evaluation('stopped');
  if (response.kind !== 'answered') return evaluation('not_observed');
  const { status } = response;
  if (status === 401 || status === 403) return evaluation('denied');
  return evaluation(status < 300 || isProxyUnavailable(status) ? 'not_observed' : 'stopped');
}

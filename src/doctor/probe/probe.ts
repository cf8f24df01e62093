import { randomBytes } from 'node:crypto';
import { withoutTrailingSlash } from '../../oauth/issuer.ts';
import { OperatorError } from '../../operator-error.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';
import type { EffectiveConfig } from '../observer/endpoint.ts';
import { DOCTOR_HEADER } from '../observer/observe.ts';
import { concludeFrom, disagreement } from './conclude/conclude.ts';
import { isVerified } from './conclude/explain-chain.ts';
import type { ProbeEvidence } from './conclude/finding.ts';
import type { GroundTruth } from './conclude/judge-forgery.ts';
import type { Examination } from './examination.ts';
import { furtherRoutes } from './further-routes.ts';
import { type ClientKeyPair, makeClientKeyPair, makeVictim } from './identity.ts';
import { createOwnResponses } from './own-answers.ts';
import { baselineTrials, forgedTrials, furtherTrials } from './plan-trials.ts';
import { type Address, routesTo } from './routes.ts';
import { type ProbeContext, runTrials } from './run-trials.ts';
import { probeHandshake } from './send/handshake.ts';
import { startWatch } from './send/operations-listener.ts';
import { describeResponse, isSeen, type TrialResult } from './trial.ts';

/** What to examine, and with what. */
export interface ProbeOptions {
  /** The issuer, or the mutual TLS URL. */
  readonly url: string;
  readonly identity: ClientKeyPair;
  /** Of the proxy's own certificate, PEM. */
  readonly serverCa: string | undefined;
  readonly serverCaFile: string | undefined;
  readonly connectTo: Address | undefined;
  /** Where the same host answers without TLS, if it does. */
  readonly httpPort: number;
  /** The operations listeners of all replicas. */
  readonly listeners: readonly [string, ...string[]];
}

/**
 * Sends a certificate through the proxy, then none, then all forgeries, and finds out what the server made of each.
 *
 * @param onProgress told how many forgeries were answered, of how many; those that are sent again count again
 * @throws {OperatorError} when it cannot be examined
 */
export async function probe(order: ProbeOptions, onProgress: Progress): Promise<Examination> {
  const { url, identity, serverCa, listeners } = order;
  const watchId = randomBytes(18).toString('base64url');
  const watch = await startWatch(listeners, watchId);
  const identities = { own: identity, stranger: identity.made ? identity : await makeClientKeyPair() };
  const victim = await makeVictim();
  const laboratory = { watch, watchId, identities, serverCa, ownAnswers: createOwnResponses(), onAnswer: () => {} };
  const agreed = disagreement(watch.beliefs) === undefined;
  const sent = agreed ? await sendAll(order, laboratory, victim, onProgress) : nothingSent;
  return concludeFrom({
    url,
    configs: watch.beliefs,
    identity,
    truth: truthOf(sent.baseline, identities, victim),
    ...sent,
  });
}

type Progress = (done: number, all: number) => void;
type Sent = Pick<ProbeEvidence, 'handshakes' | 'baseline' | 'forged' | 'blocked'>;

const nothingSent: Sent = { handshakes: [], baseline: [], forged: [], blocked: [] };

async function sendAll(
  order: ProbeOptions,
  laboratory: ProbeContext,
  victim: Uint8Array,
  onProgress: Progress,
): Promise<Sent> {
  const { url, identity, connectTo, httpPort } = order;
  const [server] = laboratory.watch.beliefs;
  const routes = routesTo(url, server, connectTo);
  const handshakes = await Promise.all(routes.straight.map((route) => probeHandshake(route, identity, order)));

  const entered = await runTrials(baselineTrials(routes, handshakes, identity), laboratory);
  if (!entered.some(isSeen)) throw nothingArrived(entered, order, server);
  const further = furtherRoutes(routes.straight, [server.issuer, server.mtls_url].map(pathOf), httpPort);
  const baseline = [...entered, ...(await runTrials(furtherTrials(routes, further, handshakes, identity), laboratory))];

  const trials = forgedTrials(routes, baseline, server, { victim, own: identity.der });
  let answered = 0;
  const onAnswer = () => onProgress(++answered, trials.length);
  const forged = await runTrials(trials, { ...laboratory, onAnswer });

  // A proxy that had enough of us stops everything, and by that no forgery.
  const again = await runTrials(baseline.filter(isSeen), laboratory);
  return { handshakes, baseline, forged, blocked: again.filter((tried) => !isSeen(tried)) };
}

function pathOf(url: string): string {
  return withoutTrailingSlash(new URL(url).pathname);
}

/** @param baseline with nothing forged; what counts as verified there, a forged verdict has not made so */
function truthOf(
  baseline: readonly TrialResult[],
  identities: ProbeContext['identities'],
  victim: Uint8Array,
): GroundTruth {
  const isVerifiedAsUsual = (certificate: TrialResult['presented']) =>
    baseline.some((tried) => tried.route.name === 'mutual_tls' && tried.presented === certificate && isVerified(tried));
  return {
    ownThumbprint: identities.own.thumbprint,
    victimThumbprint: sha256Thumbprint(victim),
    ownVerified: isVerifiedAsUsual('own'),
    ownMade: identities.own.made,
    untrustedThumbprint: identities.stranger.thumbprint,
    untrustedVerified: isVerifiedAsUsual('stranger'),
  };
}

interface Asked {
  readonly url: string;
  readonly listeners: readonly string[];
}

/** Why there is nothing to examine: what was sent as clients send it, and answered, was seen by nobody whom we ask. */
export function nothingArrived(
  baseline: readonly TrialResult[],
  { url, listeners }: Asked,
  server: EffectiveConfig,
): OperatorError {
  const straight = baseline.filter(({ route }) => route.name === 'mutual_tls' || route.name === 'issuer');
  const answers = new Set(straight.map(({ response }) => describeResponse(response)));
  const what = `nothing that was sent to ${url} arrived at the server whose operations listener is ${listeners.join(', ')}`;
  return new OperatorError([`${what}: ${causeOf(straight, server)}. The answers were: ${[...answers].join('; ')}`]);
}

function causeOf(straight: readonly TrialResult[], { listens_on }: EffectiveConfig): string {
  if (straight.some(isUnserved)) {
    return (
      `the proxy answers, but does not reach Countersign at ${listens_on}. Is the address or path right, may the proxy ` +
      'open the socket, and does it speak there what the server does, HTTP or HTTPS'
    );
  }
  if (straight.some(({ elsewhere }) => elsewhere)) {
    return (
      'the answers may be those of another replica: name the operations listener of each with --operations. ' +
      `Or the proxy removes ${DOCTOR_HEADER}, by which the server knows our requests: let it pass`
    );
  }
  return "check that --url is this server's, and name the operations listener of each replica with --operations";
}

/** What a proxy says that has no server to ask (RFC 9110 §15.6.3 to §15.6.5). */
function isUnserved({ response }: TrialResult): boolean {
  return response.kind === 'answered' && response.status >= 502 && response.status <= 504;
}

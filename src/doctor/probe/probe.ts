import { randomBytes } from 'node:crypto';
import { withoutTrailingSlash } from '../../oauth/issuer.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';
import { type ClientKeyPair, generateClientKeyPair, generateForgedCertificate } from './client-key-pair.ts';
import { conclude } from './conclude/conclude.ts';
import { configMismatch } from './conclude/config-mismatch.ts';
import type { GroundTruth } from './conclude/evaluate-forgery.ts';
import { isVerified } from './conclude/explain-chain.ts';
import type { ProbeEvidence } from './conclude/finding.ts';
import { nothingArrived } from './conclude/nothing-arrived.ts';
import type { ProbeOptions } from './options.ts';
import { createOwnResponses } from './own-responses.ts';
import { baselineTrials, forgedTrials, unintendedTrials } from './plan-trials.ts';
import type { ProbeReport } from './probe-report.ts';
import { planRoutes } from './routes.ts';
import { type ProbeContext, runTrials } from './run-trials.ts';
import { probeHandshake } from './send/handshake.ts';
import { openWatch } from './send/operations-listener.ts';
import { isObserved, type TrialResult } from './trial.ts';
import { unintendedRoutes } from './unintended-routes.ts';

/** Called after each forgery; one that is sent again counts again. */
type OnProgress = (sent: number, total: number) => void;

/**
 * Sends requests through the live proxy, without and with forgeries, and reports what the server accepted.
 *
 * @throws {OperatorError} when the proxy or the server cannot be probed
 */
export async function probe(options: ProbeOptions, onProgress: OnProgress): Promise<ProbeReport> {
  const { url, clientKeyPair, serverCa, operationsListeners } = options;
  const watchId = randomBytes(18).toString('base64url');
  const watch = await openWatch(operationsListeners, watchId);
  const clientKeyPairs = await withUntrusted(clientKeyPair);
  const forged = await generateForgedCertificate();
  const { effectiveConfigs } = watch;
  const context = {
    watch,
    watchId,
    clientKeyPairs,
    serverCa,
    ownResponses: createOwnResponses(),
    onResponse: () => {},
  };
  const isConsistent = configMismatch(effectiveConfigs) === undefined;
  const results = isConsistent ? await sendAll(options, context, forged, onProgress) : nothingSent;
  const groundTruth = groundTruthOf(results.baseline, clientKeyPairs, forged);
  const report = conclude({ url, effectiveConfigs, clientKeyPair, groundTruth, ...results });
  return { ...report, notes: [...options.unread, ...report.notes] };
}

/** A generated certificate is untrusted already. */
async function withUntrusted(own: ClientKeyPair): Promise<ProbeContext['clientKeyPairs']> {
  return { own, untrusted: own.generated ? own : await generateClientKeyPair() };
}

type Results = Pick<ProbeEvidence, 'handshakes' | 'baseline' | 'forged' | 'blocked'>;

const nothingSent: Results = { handshakes: [], baseline: [], forged: [], blocked: [] };

async function sendAll(
  options: ProbeOptions,
  context: ProbeContext,
  forgedCertificate: Uint8Array,
  onProgress: OnProgress,
): Promise<Results> {
  const { url, clientKeyPair, connectTo, httpPort } = options;
  const [server] = context.watch.effectiveConfigs;
  const routes = planRoutes(url, server, connectTo);
  const handshakes = await Promise.all(routes.direct.map((route) => probeHandshake(route, clientKeyPair, options)));

  const intended = await runTrials(baselineTrials(routes, handshakes, clientKeyPair), context);
  if (!intended.some(isObserved)) throw nothingArrived(intended, options, server);
  const unintended = unintendedRoutes(routes.direct, [server.issuer, server.mtls_url].map(pathOf), httpPort);
  const unintendedResults = await runTrials(unintendedTrials(routes, unintended, handshakes, clientKeyPair), context);
  const baseline = [...intended, ...unintendedResults];

  const trials = forgedTrials(routes, baseline, server, { forged: forgedCertificate, own: clientKeyPair.der });
  let sent = 0;
  const onResponse = () => onProgress(++sent, trials.length);
  const forged = await runTrials(trials, { ...context, onResponse });

  // A proxy that started to block this machine stops every request, so a forgery that it stopped proves nothing.
  const repeated = await runTrials(baseline.filter(isObserved), context);
  return { handshakes, baseline, forged, blocked: repeated.filter((result) => !isObserved(result)) };
}

function pathOf(url: string): string {
  return withoutTrailingSlash(new URL(url).pathname);
}

/** A chain that is verified in the baseline was not verified because of a forgery. */
function groundTruthOf(
  baseline: readonly TrialResult[],
  { own, untrusted }: ProbeContext['clientKeyPairs'],
  forgedCertificate: Uint8Array,
): GroundTruth {
  const isVerifiedInBaseline = (presented: TrialResult['presented']) =>
    baseline.some(
      (result) => result.route.name === 'mutual_tls' && result.presented === presented && isVerified(result),
    );
  return {
    ownThumbprint: own.thumbprint,
    ownVerified: isVerifiedInBaseline('own'),
    ownGenerated: own.generated,
    untrustedThumbprint: untrusted.thumbprint,
    untrustedVerified: isVerifiedInBaseline('untrusted'),
    forgedThumbprint: sha256Thumbprint(forgedCertificate),
  };
}

import { randomBytes } from 'node:crypto';
import { OperatorError } from '../../../errors/operator-error.ts';
import { sha256Thumbprint } from '../../../pki/certificate/thumbprint.ts';
import { generateClientKeyPair, generateForgedCertificate } from '../client-key-pair.ts';
import { configMismatch } from '../conclude/config-mismatch.ts';
import type { ProbeOptions } from '../options.ts';
import { probeHandshake } from '../send/handshake.ts';
import { openEdgeWatch } from '../send/operations-listener.ts';
import { concludeEdge } from './conclude-edge.ts';
import type { EdgeEvidence } from './edge-evidence.ts';
import type { EdgeReport } from './edge-report.ts';
import { edgeBaseline, edgeForgeries, protectedRoute } from './edge-trials.ts';
import { type EdgeProbeContext, runEdgeTrials } from './run-edge-trials.ts';

/**
 * Sends requests to a protected URL whose upstream is the operations listener, without and with forgeries, and reports
 * what reached the edge and the upstream.
 *
 * @param onProgress called after each forgery
 * @throws {OperatorError} when the proxy or the server cannot be probed
 */
export async function probeEdge(
  options: ProbeOptions,
  onProgress: (sent: number, total: number) => void,
): Promise<EdgeReport> {
  const { url, clientKeyPair: own, serverCa, operationsListeners, token } = options;
  const untrusted = own.generated ? own : await generateClientKeyPair();
  const forgedCertificate = await generateForgedCertificate();
  const thumbprints = {
    own: own.thumbprint,
    untrusted: untrusted.thumbprint,
    forged: sha256Thumbprint(forgedCertificate),
  };
  const watchId = randomBytes(18).toString('base64url');
  const watch = await openEdgeWatch(operationsListeners, watchId, [...new Set(Object.values(thumbprints))]);
  const { effectiveConfigs } = watch;
  const edge = requireEdge(effectiveConfigs[0].edge, operationsListeners[0]);
  const context = { watch, watchId, token, clientKeyPairs: { own, untrusted }, serverCa, onResponse: () => {} };
  const facts = { url, effectiveConfigs, edge, clientKeyPair: own, thumbprints };
  const isConsistent = configMismatch(effectiveConfigs) === undefined;
  const results = isConsistent ? await sendAll(options, context, edge, forgedCertificate, onProgress) : nothingSent;
  const report = concludeEdge({ ...facts, ...results });
  return { ...report, notes: [...options.unread, ...report.notes] };
}

function requireEdge(edge: EdgeEvidence['edge'] | null, listener: string): EdgeEvidence['edge'] {
  if (edge !== null) return edge;
  throw new OperatorError([`the server at ${listener} has no edge listener: set COUNTERSIGN_EDGE_LISTEN`]);
}

type Results = Pick<EdgeEvidence, 'handshakes' | 'baseline' | 'forged' | 'repeated' | 'checks' | 'baselineChecks'>;

const nothingSent: Results = { handshakes: [], baseline: [], forged: [], repeated: [], checks: [], baselineChecks: [] };

async function sendAll(
  options: ProbeOptions,
  context: EdgeProbeContext,
  edge: EdgeEvidence['edge'],
  forgedCertificate: Uint8Array,
  onProgress: (sent: number, total: number) => void,
): Promise<Results> {
  const { url, clientKeyPair, connectTo } = options;
  const route = protectedRoute(url, connectTo);
  const handshake = await probeHandshake(route, clientKeyPair, options);
  const baselineTrials = edgeBaseline(route, handshake, clientKeyPair);
  const baseline = await runEdgeTrials(baselineTrials, context);
  const trials = edgeForgeries(route, handshake, edge, forgedCertificate);
  let sent = 0;
  const onResponse = () => onProgress(++sent, trials.length);
  const forged = await runEdgeTrials(trials, { ...context, onResponse });
  const repeated = await runEdgeTrials(baselineTrials, context);
  return {
    handshakes: [handshake],
    baseline: baseline.results,
    forged: forged.results,
    repeated: repeated.results,
    checks: [...baseline.checks, ...forged.checks],
    baselineChecks: baseline.checks,
  };
}

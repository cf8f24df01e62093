import { OperatorError } from '../../../errors/operator-error.ts';
import type { EffectiveConfig } from '../../observer/effective-config.ts';
import { DOCTOR_HEADER } from '../../observer/observe.ts';
import type { ProbeOptions } from '../options.ts';
import { describeResponse, type TrialResult } from '../trial.ts';

/** Explains why no request of the baseline was observed, so that nothing can be probed. */
export function nothingArrived(
  baseline: readonly TrialResult[],
  { url, operationsListeners }: Pick<ProbeOptions, 'url' | 'operationsListeners'>,
  server: EffectiveConfig,
): OperatorError {
  const direct = baseline.filter(({ route }) => route.name === 'mutual_tls' || route.name === 'issuer');
  const responses = new Set(direct.map(({ response }) => describeResponse(response)));
  const listeners = operationsListeners.join(', ');
  const what = `no request to ${url} arrived at the server whose operations listener is ${listeners}`;
  const edge = server.edge === null ? '' : ' To probe a URL that the edge protects, add --edge.';
  return new OperatorError([`${what}: ${causeOf(direct, server)}.${edge} Responses: ${[...responses].join('; ')}`]);
}

function causeOf(direct: readonly TrialResult[], { listens_on }: EffectiveConfig): string {
  if (direct.some(isWithoutUpstream)) {
    return (
      `the proxy responds but does not reach Countersign at ${listens_on}. Check that the address or path is correct, ` +
      'that the proxy may open the socket, and that both sides use HTTP or both use HTTPS'
    );
  }
  if (direct.some(({ mayBeOtherReplica }) => mayBeOtherReplica)) {
    return (
      'the responses may be those of another replica: name the operations listener of each replica with --operations. ' +
      `Or the proxy removes ${DOCTOR_HEADER}, by which the server recognizes these requests: configure it to pass ` +
      'this field'
    );
  }
  return 'check that --url is the URL of this server, and name the operations listener of each replica with --operations';
}

/** RFC 9110 §15.6.3 to §15.6.5. */
function isWithoutUpstream({ response }: TrialResult): boolean {
  return response.kind === 'answered' && response.status >= 502 && response.status <= 504;
}

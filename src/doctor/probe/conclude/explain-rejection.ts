import type { EffectiveConfig } from '../../observer/effective-config.ts';
import { type ClientKeyPair, describeOwnCertificate } from '../client-key-pair.ts';
import { isMalformedRejection } from '../own-responses.ts';
import { describeResponse, type ProbeResponse, type TrialResult } from '../trial.ts';
import { type Finding, notObserved, type ProbeFacts, problem } from './finding.ts';
import { fixClientCa, fixLineFeeds } from './fixes.ts';

/**
 * Explains why a request with the operator's certificate did not arrive.
 *
 * @param othersArrive whether a request without a certificate does
 */
export function explainRejectionByProxy(
  result: TrialResult,
  othersArrive: boolean,
  { clientKeyPair, server }: ProbeFacts,
): Finding[] {
  const { response, route } = result;
  if (isRateLimited(response)) return [explainRateLimit(result, clientKeyPair)];
  if (othersArrive && isMalformedRejection(response)) return [explainMalformed(clientKeyPair, server)];
  const detail = describeResponse(response);
  if (!clientKeyPair.generated) {
    return [problem(`the proxy rejects your certificate at ${route.title}: ${detail}`, fixClientCa(server))];
  }
  return [
    notObserved(
      `the proxy rejects the certificate generated for this run (${detail}), as a proxy that verifies chains should; ` +
        "pass a client's certificate with --cert and --key to test the path of a verified one",
    ),
  ];
}

/** Such a response does not depend on the certificate. */
function isRateLimited(response: ProbeResponse): boolean {
  return response.kind === 'answered' && (response.status === 429 || response.status === 503);
}

function explainRateLimit({ response, route }: TrialResult, clientKeyPair: ClientKeyPair): Finding {
  return notObserved(
    `the proxy did not forward the request with ${describeOwnCertificate(clientKeyPair)} to ${route.title} ` +
      `(${describeResponse(response)}): it limits requests, or does not reach the server; exempt this machine from ` +
      'limits while the doctor runs',
  );
}

function explainMalformed(clientKeyPair: ClientKeyPair, server: EffectiveConfig): Finding {
  const what =
    `the server rejects a request with ${describeOwnCertificate(clientKeyPair)} as malformed HTTP, but not one without ` +
    'it: the proxy forwards the PEM unencoded, with line feeds in a header';
  return problem(what, fixLineFeeds(server));
}

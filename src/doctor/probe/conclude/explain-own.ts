import type { EffectiveConfig } from '../../observer/effective-config.ts';
import type { Observation } from '../../observer/observe.ts';
import type { RecognizedCertificate } from '../../observer/observed-fields.ts';
import { type ClientKeyPair, describeOwnCertificate } from '../client-key-pair.ts';
import { describeResponse, isObserved, type TrialResult } from '../trial.ts';
import { explainOwnChain } from './explain-chain.ts';
import { explainRejectionByProxy } from './explain-rejection.ts';
import { type Finding, notObserved, type ProbeFacts, problem } from './finding.ts';
import { fixCertificateRequest, fixFormat, fixForwarding, fixProxyTrust, fixRejected } from './fixes.ts';

/** Explains the outcome of the operator's certificate at the mutual TLS URL. */
export function explainOwn(baseline: readonly TrialResult[], facts: ProbeFacts): Finding[] {
  const here = baseline.filter(({ route }) => route.name === 'mutual_tls');
  const own = here.filter((result) => result.presented === 'own' && !result.mayBeOtherReplica);
  const { validityViolation, certificateFile } = facts.clientKeyPair;
  if (validityViolation !== undefined) {
    return own.slice(0, 1).map((result) => explainInvalid(result, validityViolation, certificateFile));
  }
  const othersArrive = here.some((result) => result.presented === 'none' && isObserved(result));
  return own.flatMap((result) => {
    const observation = result.observations.at(-1);
    if (observation === undefined) return explainRejectionByProxy(result, othersArrive, facts);
    return explainObserved(observation, result, facts);
  });
}

/** How the proxy treats an expired certificate does not show how it treats a valid one. */
function explainInvalid({ response, observations }: TrialResult, violation: string, file: string | undefined): Finding {
  const arrival = observations.length > 0 ? 'it arrived' : `it did not arrive (${describeResponse(response)})`;
  return notObserved(`your certificate ${file} ${violation}; ${arrival}. Pass a valid one with --cert and --key`);
}

function explainObserved(observation: Observation, result: TrialResult, facts: ProbeFacts): Finding[] {
  const { server, clientKeyPair } = facts;
  const { proxy_trust, fields, outcome } = observation;
  if (outcome.kind === 'accepted') return explainOwnChain(outcome, facts);
  if (!proxy_trust.trusted) {
    const reason = proxy_trust.reason ?? 'no reason given';
    return [problem(`the server does not trust this proxy: ${reason}`, fixProxyTrust(reason))];
  }
  const field = fields.find(({ certificate }) => certificate?.thumbprint === clientKeyPair.thumbprint);
  if (field?.certificate && field.name.toLowerCase() !== server.certificate_header) {
    return [explainOtherField(field.name, field.certificate, server, clientKeyPair)];
  }
  if (outcome.kind === 'absent') return [explainAbsent(outcome.reason, result, facts)];
  const what = `the server rejects ${describeOwnCertificate(clientKeyPair)} as the proxy forwards it: ${outcome.reason}`;
  return [problem(what, fixRejected(server, field))];
}

function explainOtherField(
  name: string,
  { formats }: RecognizedCertificate,
  server: EffectiveConfig,
  clientKeyPair: ClientKeyPair,
): Finding {
  const what =
    `the proxy forwards ${describeOwnCertificate(clientKeyPair)} in ${name}, in the format of ${formats.join(' or ')}, ` +
    `but the server reads ${server.certificate_header}`;
  return problem(what, fixFormat(name, formats, server));
}

function explainAbsent(reason: string, { route }: TrialResult, facts: ProbeFacts): Finding {
  const { server, clientKeyPair, handshakes } = facts;
  const isRequested = handshakes.some((one) => one.route === route.name && one.client_certificate_requested);
  if (!isRequested) {
    return problem(`the proxy does not request a client certificate at ${route.title}`, fixCertificateRequest(server));
  }
  const text = `the proxy requests a certificate at ${route.title} but does not forward the one presented: ${reason}`;
  if (clientKeyPair.generated) return notObserved(`${text}; pass a client's certificate with --cert and --key`);
  return problem(text, fixForwarding(server));
}

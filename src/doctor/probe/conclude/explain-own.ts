import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { Observation } from '../../observer/observe.ts';
import type { HeldCertificate } from '../../observer/observed-fields.ts';
import { type ClientKeyPair, nameOwn } from '../identity.ts';
import { isUnread } from '../own-answers.ts';
import { describeResponse, isSeen, type ProbeResponse, type TrialResult } from '../trial.ts';
import { explainOwnChain } from './explain-chain.ts';
import { type Finding, notSeen, type ProbeFacts, problem } from './finding.ts';
import {
  fixCa,
  fixCertificateRequest,
  fixFormat,
  fixForwarding,
  fixLineFeeds,
  fixProxyTrust,
  fixRejected,
} from './fixes.ts';

/** Explains what became of the operator's certificate, where clients are to show theirs. */
export function explainOwn(usual: readonly TrialResult[], circumstances: ProbeFacts): Finding[] {
  const here = usual.filter(({ route }) => route.name === 'mutual_tls');
  const shown = here.filter((tried) => tried.presented === 'own' && !tried.elsewhere);
  const { outdated, certificateFile } = circumstances.identity;
  if (outdated !== undefined)
    return shown.slice(0, 1).map((tried) => explainOutdated(tried, outdated, certificateFile));
  const othersArrive = here.some((tried) => tried.presented === 'none' && isSeen(tried));
  return shown.flatMap((tried) => {
    const observation = tried.observations.at(-1);
    if (observation === undefined) return explainRejection(tried, othersArrive, circumstances);
    return explainObserved(observation, tried, circumstances);
  });
}

/** Whatever the proxy made of it, it says little about what it makes of a valid one. */
function explainOutdated({ response, observations }: TrialResult, outdated: string, file: string | undefined): Finding {
  const became = observations.length > 0 ? 'it arrived' : `it did not arrive (${describeResponse(response)})`;
  return notSeen(`your certificate, ${file}, ${outdated}; ${became}. Give one that is valid with --cert and --key`);
}

function explainObserved(observation: Observation, tried: TrialResult, circumstances: ProbeFacts): Finding[] {
  const { server, identity } = circumstances;
  const { proxy_trust, fields, outcome } = observation;
  if (outcome.kind === 'certificate') return explainOwnChain(outcome, circumstances);
  if (!proxy_trust.trusted) {
    const reason = proxy_trust.reason ?? 'it is not trusted';
    return [problem(`the server does not believe this proxy: ${reason}`, fixProxyTrust(reason))];
  }
  const held = fields.find(({ certificate }) => certificate?.thumbprint === identity.thumbprint);
  if (held?.certificate && held.name.toLowerCase() !== server.certificate_header) {
    return [explainOtherField(held.name, held.certificate, server, identity)];
  }
  if (outcome.kind === 'none') return [explainNone(outcome.reason, tried, circumstances)];
  const what = `the server refuses what the proxy forwards of ${nameOwn(identity)}: ${outcome.reason}`;
  return [problem(what, fixRejected(server, held))];
}

function explainOtherField(
  name: string,
  { formats }: HeldCertificate,
  server: EffectiveConfig,
  identity: ClientKeyPair,
): Finding {
  const what =
    `the proxy forwards ${nameOwn(identity)} in ${name}, as ${formats.join(' or ')} writes it, and the server ` +
    `reads ${server.certificate_header}`;
  return problem(what, fixFormat(name, formats, server));
}

function explainNone(reason: string, { route }: TrialResult, { server, identity, handshakes }: ProbeFacts): Finding {
  const requested = handshakes.some((one) => one.route === route.name && one.client_certificate_requested);
  if (!requested) {
    return problem(`the proxy does not ask for a client certificate at ${route.title}`, fixCertificateRequest(server));
  }
  const text = `the proxy asks for a certificate at ${route.title}, and forwards nothing of the one it got: ${reason}`;
  if (identity.made) return notSeen(`${text}; give one of a client with --cert and --key`);
  return problem(text, fixForwarding(server));
}

/**
 * Explains why a request with the operator's certificate did not arrive.
 *
 * @param othersArrive whether one without a certificate does
 */
export function explainRejection(
  tried: TrialResult,
  othersArrive: boolean,
  { identity, server }: ProbeFacts,
): Finding[] {
  const { response, route } = tried;
  if (isLimit(response)) return [explainLimit(tried, identity)];
  if (othersArrive && isUnread(response)) return [explainUnread(identity, server)];
  const detail = describeResponse(response);
  if (!identity.made) {
    return [problem(`the proxy refuses your certificate at ${route.title}: ${detail}`, fixCa(server))];
  }
  return [
    notSeen(
      `the proxy refuses the certificate that was made for this run (${detail}), as one that verifies should; ` +
        'give one of a client with --cert and --key to see it arrive',
    ),
  ];
}

function explainLimit({ response, route }: TrialResult, identity: ClientKeyPair): Finding {
  return notSeen(
    `the proxy did not let ${nameOwn(identity)} through to ${route.title} (${describeResponse(response)}): it limits us, ` +
      'or does not reach the server; let this machine through while the doctor runs',
  );
}

function explainUnread(identity: ClientKeyPair, server: EffectiveConfig): Finding {
  const what =
    `the server refuses a request with ${nameOwn(identity)} unread, as no HTTP, and one without it not: ` +
    'the proxy forwards the PEM as it is, with line feeds in a header';
  return problem(what, fixLineFeeds(server));
}

/** It says nothing about the certificate. */
function isLimit(response: ProbeResponse): boolean {
  return response.kind === 'answered' && (response.status === 429 || response.status === 503);
}

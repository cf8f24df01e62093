import type { Belief } from '../../observer/endpoint.ts';
import type { Observation } from '../../observer/observe.ts';
import type { HeldCertificate } from '../../observer/observed-fields.ts';
import { type Identity, nameOwn } from '../identity.ts';
import { isUnread } from '../own-answers.ts';
import { type Answer, describeAnswer, isSeen, type Tried } from '../trial.ts';
import { explainOwnChain } from './explain-chain.ts';
import { type Circumstances, type Finding, fault, notSeen } from './finding.ts';
import {
  mendAuthority,
  mendFormat,
  mendForwarding,
  mendHop,
  mendLineFeeds,
  mendRefused,
  mendRequest,
} from './fixes.ts';

/** Explains what became of the operator's certificate, where clients are to show theirs. */
export function explainOwn(usual: readonly Tried[], circumstances: Circumstances): Finding[] {
  const here = usual.filter(({ route }) => route.name === 'mutual_tls');
  const shown = here.filter((tried) => tried.shown === 'own' && !tried.elsewhere);
  const { outdated, certificateFile } = circumstances.identity;
  if (outdated !== undefined)
    return shown.slice(0, 1).map((tried) => explainOutdated(tried, outdated, certificateFile));
  const othersArrive = here.some((tried) => tried.shown === 'none' && isSeen(tried));
  return shown.flatMap((tried) => {
    const observation = tried.observations.at(-1);
    if (observation === undefined) return explainRefusal(tried, othersArrive, circumstances);
    return explainObserved(observation, tried, circumstances);
  });
}

/** Whatever the proxy made of it, it says little about what it makes of a valid one. */
function explainOutdated({ answer, observations }: Tried, outdated: string, file: string | undefined): Finding {
  const became = observations.length > 0 ? 'it arrived' : `it did not arrive (${describeAnswer(answer)})`;
  return notSeen(`your certificate, ${file}, ${outdated}; ${became}. Give one that is valid with --cert and --key`);
}

function explainObserved(observation: Observation, tried: Tried, circumstances: Circumstances): Finding[] {
  const { server, identity } = circumstances;
  const { hop, fields, believed } = observation;
  if (believed.kind === 'certificate') return explainOwnChain(believed, circumstances);
  if (!hop.trusted) {
    const reason = hop.reason ?? 'it is not trusted';
    return [fault(`the server does not believe this proxy: ${reason}`, mendHop(reason))];
  }
  const held = fields.find(({ certificate }) => certificate?.thumbprint === identity.thumbprint);
  if (held?.certificate && held.name.toLowerCase() !== server.certificate_header) {
    return [explainOtherField(held.name, held.certificate, server, identity)];
  }
  if (believed.kind === 'none') return [explainNone(believed.reason, tried, circumstances)];
  const what = `the server refuses what the proxy forwards of ${nameOwn(identity)}: ${believed.reason}`;
  return [fault(what, mendRefused(server, held))];
}

function explainOtherField(name: string, { formats }: HeldCertificate, server: Belief, identity: Identity): Finding {
  const what =
    `the proxy forwards ${nameOwn(identity)} in ${name}, as ${formats.join(' or ')} writes it, and the server ` +
    `reads ${server.certificate_header}`;
  return fault(what, mendFormat(name, formats, server));
}

function explainNone(reason: string, { route }: Tried, { server, identity, handshakes }: Circumstances): Finding {
  const requested = handshakes.some((one) => one.route === route.name && one.client_certificate_requested);
  if (!requested) {
    return fault(`the proxy does not ask for a client certificate at ${route.title}`, mendRequest(server));
  }
  const text = `the proxy asks for a certificate at ${route.title}, and forwards nothing of the one it got: ${reason}`;
  if (identity.made) return notSeen(`${text}; give one of a client with --cert and --key`);
  return fault(text, mendForwarding(server));
}

/**
 * Explains why a request with the operator's certificate did not arrive.
 *
 * @param othersArrive whether one without a certificate does
 */
export function explainRefusal(tried: Tried, othersArrive: boolean, { identity, server }: Circumstances): Finding[] {
  const { answer, route } = tried;
  if (isLimit(answer)) return [explainLimit(tried, identity)];
  if (othersArrive && isUnread(answer)) return [explainUnread(identity, server)];
  const detail = describeAnswer(answer);
  if (!identity.made) {
    return [fault(`the proxy refuses your certificate at ${route.title}: ${detail}`, mendAuthority(server))];
  }
  return [
    notSeen(
      `the proxy refuses the certificate that was made for this run (${detail}), as one that verifies should; ` +
        'give one of a client with --cert and --key to see it arrive',
    ),
  ];
}

function explainLimit({ answer, route }: Tried, identity: Identity): Finding {
  return notSeen(
    `the proxy did not let ${nameOwn(identity)} through to ${route.title} (${describeAnswer(answer)}): it limits us, ` +
      'or does not reach the server; let this machine through while the doctor runs',
  );
}

function explainUnread(identity: Identity, server: Belief): Finding {
  const what =
    `the server refuses a request with ${nameOwn(identity)} unread, as no HTTP, and one without it not: ` +
    'the proxy forwards the PEM as it is, with line feeds in a header';
  return fault(what, mendLineFeeds(server));
}

/** It says nothing about the certificate. */
function isLimit(answer: Answer): boolean {
  return answer.kind === 'answered' && (answer.status === 429 || answer.status === 503);
}

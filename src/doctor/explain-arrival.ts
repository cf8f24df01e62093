import type { Belief } from '../endpoints/doctor.ts';
import type { Observation } from '../endpoints/observe-forwarding.ts';
import { describeAnswer } from './answer.ts';
import type { HandshakeReport } from './examination.ts';
import { explainStrangers, isStranger, isVerified } from './explain-chain.ts';
import type { Identity } from './identity.ts';
import { falseBelief, type Truth } from './judge-forgery.ts';
import { mendFormat } from './mend.ts';
import type { Tried } from './trial.ts';

/** What was found out about one request. Whatever is no fault is worth knowing. */
export type Finding = { readonly kind: 'fault' | 'note' | 'not_seen'; readonly text: string };

export interface Circumstances {
  readonly server: Belief;
  readonly identity: Identity;
  readonly truth: Truth;
  readonly handshakes: readonly HandshakeReport[];
}

/** Explains what became of requests without anything forged. */
export function explainArrivals(usual: readonly Tried[], circumstances: Circumstances): Finding[] {
  const { identity, truth } = circumstances;
  const findings = usual.flatMap((tried): Finding[] => {
    if (isStranger(tried, identity) && isVerified(tried)) return [];
    const believed = tried.observations.at(-1)?.believed;
    const untrue = believed && falseBelief(believed, tried.shown, truth);
    if (untrue !== undefined) return [fault(`nothing forged, ${tried.route.title}: ${untrue}`)];
    if (tried.elsewhere) return [{ kind: 'not_seen', text: notSeen(tried) }];
    if (tried.shown === 'none') return explainWithout(tried);
    return tried.route.name === 'mutual_tls' && tried.shown === 'own' ? explainOwn(tried, circumstances) : [];
  });
  return [...explainStrangers(usual, circumstances), ...findings];
}

const fault = (text: string): Finding => ({ kind: 'fault', text });
const note = (text: string): Finding => ({ kind: 'note', text });

function notSeen({ route, answer }: Tried): string {
  return (
    `a request to ${route.title} was answered (${describeAnswer(answer)}), and not seen: it was refused by the proxy, ` +
    'or answered by another replica; name the operations listener of each replica with --operations'
  );
}

function explainWithout({ route, observations }: Tried): Finding[] {
  const believed = observations.at(-1)?.believed;
  if (believed?.kind !== 'refused') return [];
  return [
    fault(`without a certificate, the server refuses what the proxy sends from ${route.title}: ${believed.reason}`),
  ];
}

function explainOwn(tried: Tried, circumstances: Circumstances): Finding[] {
  const { identity } = circumstances;
  const observation = tried.observations.at(-1);
  if (observation === undefined) return [explainRefusal(tried, identity)];
  const { believed } = observation;
  if (believed.kind === 'certificate') return explainChain(believed, identity);
  if (believed.kind === 'none') return [explainNone(observation, believed.reason, tried, circumstances)];
  return [fault(`the server refuses what the proxy forwards of your certificate: ${believed.reason}`)];
}

function explainRefusal({ answer, route }: Tried, { made }: Identity): Finding {
  const detail = describeAnswer(answer);
  if (!made) return fault(`the proxy refuses your certificate at ${route.title}: ${detail}; its log may say why`);
  return note(
    `the proxy refuses the certificate that was made for this run (${detail}), as one that verifies should; ` +
      'give one of a client with --cert and --key to see it arrive',
  );
}

function explainChain(
  believed: Extract<Observation['believed'], { kind: 'certificate' }>,
  { made }: Identity,
): Finding[] {
  if (believed.chain.verified || made) return [];
  return [
    note(
      `the chain of your certificate is not verified (${believed.chain.reason}): ` +
        'it can serve self_signed_tls_client_auth, and not tls_client_auth',
    ),
  ];
}

function explainNone(observation: Observation, reason: string, tried: Tried, circumstances: Circumstances): Finding {
  const { server, identity, handshakes } = circumstances;
  const { hop, fields } = observation;
  if (!hop.trusted) return fault(`the server does not believe this proxy: ${hop.reason}`);
  const elsewhere = fields.find(({ certificate }) => certificate?.thumbprint === identity.thumbprint);
  if (elsewhere?.certificate) {
    const { name, certificate } = elsewhere;
    return fault(
      `the proxy forwards your certificate in ${name}, as ${certificate.formats.join(' or ')} writes it, and the server ` +
        `reads ${server.certificate_header}: ${mendFormat(name, certificate.formats)}, or configure the proxy for ${server.terminator}`,
    );
  }
  const requested = handshakes.find(({ route }) => route === tried.route.name)?.client_certificate_requested === true;
  if (!requested) {
    return fault(`the proxy does not ask for a client certificate at ${tried.route.title} (nginx: ssl_verify_client)`);
  }
  const text = `the proxy asks for a certificate at ${tried.route.title}, and forwards nothing of the one it got: ${reason}`;
  return identity.made ? note(`${text}; give one of a client with --cert and --key`) : fault(text);
}

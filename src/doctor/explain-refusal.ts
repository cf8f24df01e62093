import { type Answer, describeAnswer } from './answer.ts';
import { type Circumstances, type Finding, fault, notSeen } from './finding.ts';
import { type Identity, nameOwn } from './identity.ts';
import { mendAuthority, mendLineFeeds } from './mend-forwarding.ts';
import type { Belief } from './observer/endpoint.ts';
import { isUnread } from './own-answers.ts';
import type { Tried } from './trial.ts';

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

import { type Answer, describeAnswer } from './answer.ts';
import { type Circumstances, type Finding, fault, notSeen } from './finding.ts';
import { nameOwn } from './identity.ts';
import { mendAuthority, mendLineFeeds } from './mend-forwarding.ts';
import { isUnread } from './own-answers.ts';
import type { Tried } from './trial.ts';

/**
 * Explains why a request with the operator's certificate did not arrive.
 *
 * @param othersArrive whether one without a certificate does
 */
export function explainRefusal(
  { answer, route }: Tried,
  othersArrive: boolean,
  circumstances: Circumstances,
): Finding[] {
  const { identity, server } = circumstances;
  const detail = describeAnswer(answer);
  if (isLimit(answer)) {
    return [
      notSeen(
        `the proxy did not let ${nameOwn(identity)} through to ${route.title} (${detail}): it limits us, or does not ` +
          'reach the server; let this machine through while the doctor runs',
      ),
    ];
  }
  if (othersArrive && isUnread(answer)) {
    const what =
      `the server refuses a request with ${nameOwn(identity)} unread, as no HTTP, and one without it not: ` +
      'the proxy forwards the PEM as it is, with line feeds in a header';
    return [fault(what, mendLineFeeds(server))];
  }
  if (!identity.made)
    return [fault(`the proxy refuses your certificate at ${route.title}: ${detail}`, mendAuthority(server))];
  return [
    notSeen(
      `the proxy refuses the certificate that was made for this run (${detail}), as one that verifies should; ` +
        'give one of a client with --cert and --key to see it arrive',
    ),
  ];
}

/** It says nothing about the certificate. */
function isLimit(answer: Answer): boolean {
  return answer.kind === 'answered' && (answer.status === 429 || answer.status === 503);
}

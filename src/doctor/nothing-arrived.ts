import { StartupError } from '../operator-error.ts';
import { describeAnswer } from './answer.ts';
import type { Belief } from './observer/endpoint.ts';
import { DOCTOR_HEADER } from './observer/observe.ts';
import type { Tried } from './trial.ts';

interface Asked {
  readonly url: string;
  readonly listeners: readonly string[];
}

/** Why there is nothing to examine: what was sent as clients send it, and answered, was seen by nobody whom we ask. */
export function nothingArrived(usual: readonly Tried[], { url, listeners }: Asked, server: Belief): StartupError {
  const straight = usual.filter(({ route }) => route.name === 'mutual_tls' || route.name === 'issuer');
  const answers = new Set(straight.map(({ answer }) => describeAnswer(answer)));
  const what = `nothing that was sent to ${url} arrived at the server whose operations listener is ${listeners.join(', ')}`;
  return new StartupError([`${what}: ${causeOf(straight, server)}. The answers were: ${[...answers].join('; ')}`]);
}

function causeOf(straight: readonly Tried[], { listens_on }: Belief): string {
  if (straight.some(isUnserved)) {
    return (
      `the proxy answers, but does not reach Countersign at ${listens_on}. Is the address or path right, may the proxy ` +
      'open the socket, and does it speak there what the server does, HTTP or HTTPS'
    );
  }
  if (straight.some(({ elsewhere }) => elsewhere)) {
    return (
      'the answers may be those of another replica: name the operations listener of each with --operations. ' +
      `Or the proxy removes ${DOCTOR_HEADER}, by which the server knows our requests: let it pass`
    );
  }
  return "check that --url is this server's, and name the operations listener of each replica with --operations";
}

/** What a proxy says that has no server to ask (RFC 9110 §15.6.3 to §15.6.5). */
function isUnserved({ answer }: Tried): boolean {
  return answer.kind === 'answered' && answer.status >= 502 && answer.status <= 504;
}

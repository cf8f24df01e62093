import type { PresentedCertificate } from '../../clients/methods/method.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { ForwardedRequest } from '../../terminator/forwarded-certificate.ts';
import { type RawHeaders, valuesOf } from '../../terminator/raw-headers.ts';
import type { Terminator } from '../../terminator/terminator.ts';
import { untrustedReason } from '../../terminator/trusted-proxy.ts';
import type { Observations } from './observations.ts';
import { type ObservedField, observedFields } from './observed-fields.ts';

/** What of one request reached us, and what we made of it. It holds no secret: certificates are public. */
export interface Observation {
  /** Which request it is, in the words of who watches: what stands after the id. */
  readonly request: string;
  readonly peer: string;
  readonly proxy_trust: { readonly trusted: boolean; readonly reason?: string };
  readonly fields: readonly ObservedField[];
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: 'certificate'; readonly subject: string; readonly thumbprint: string; readonly chain: Chain }
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

interface Chain {
  readonly verified: boolean;
  readonly reason: string;
}

/** The field in which `countersign doctor` says which requests are its own: the id, a dot, and which one it is. */
export const DOCTOR_HEADER = 'x-countersign-doctor';

interface Mark {
  readonly id: string;
  readonly request: string;
}

function marksOf(headers: RawHeaders): Mark[] {
  return valuesOf(headers, DOCTOR_HEADER).map((value) => {
    const dot = value.indexOf('.');
    return dot < 0 ? { id: value, request: '' } : { id: value.slice(0, dot), request: value.slice(dot + 1, dot + 17) };
  });
}

type Present = (request: ForwardedRequest) => PresentedCertificate;

/** The same, but what it does with requests that somebody watches is told to them. The answer is the same. */
export function withObserver(
  present: Present,
  terminator: Terminator,
  observations: Observations<Observation>,
): Present {
  return (request) => {
    const mark = observations.watchedBy(() => marksOf(request.headers));
    if (mark === undefined) return present(request);
    const note = (believed: Outcome) => observations.add(mark.id, observation(mark, request, terminator, believed));
    let presented: PresentedCertificate;
    try {
      presented = present(request);
    } catch (error) {
      note({ kind: 'refused', reason: error instanceof OAuthError ? error.reason : 'a fault of ours' });
      throw error;
    }
    note(outcomeOf(presented));
    return presented;
  };
}

function outcomeOf(presented: PresentedCertificate): Outcome {
  if (presented.kind === 'none') return presented;
  const { certificate, chain } = presented;
  const { subjectText, thumbprint } = certificate;
  const { verified, reason } = chain;
  return { kind: 'certificate', subject: subjectText, thumbprint, chain: { verified, reason } };
}

function observation(
  { request }: Mark,
  { headers, peer }: ForwardedRequest,
  terminator: Terminator,
  believed: Outcome,
): Observation {
  const reason = untrustedReason(peer, headers, terminator.proxyTrust);
  return {
    request,
    peer: peer.kind === 'unix' ? 'unix' : peer.address,
    proxy_trust: reason === undefined ? { trusted: true } : { trusted: false, reason },
    fields: observedFields(headers, terminator),
    outcome: believed,
  };
}

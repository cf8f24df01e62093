import { createHash } from 'node:crypto';
import type { PresentedCertificate } from '../authentication/presented-certificate.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { Observations } from '../operations/observations.ts';
import type { ForwardedRequest } from '../terminator/forwarded-certificate.ts';
import { distrustReason, PROXY_SECRET_HEADER } from '../terminator/hop.ts';
import { knownHeaders } from '../terminator/known-headers.ts';
import { type RawHeaders, valuesOf } from '../terminator/raw-headers.ts';
import { forwardedHeaders, type Terminator } from '../terminator/terminator.ts';

/** What of one request reached us, and what we made of it. It holds no secret: certificates are public. */
export interface Observation {
  readonly peer: string;
  readonly hop: { readonly trusted: boolean; readonly reason?: string };
  readonly fields: readonly ObservedField[];
  readonly believed: Believed;
}

export interface ObservedField {
  /** As it was spelled. */
  readonly name: string;
  readonly octets: number;
  /** Its beginning; nothing of a secret. */
  readonly value: string;
  /** base64url SHA-256 of the whole value, to tell whose it is. */
  readonly digest: string;
}

export type Believed =
  | { readonly kind: 'certificate'; readonly subject: string; readonly thumbprint: string; readonly chain: Chain }
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

type Chain = Extract<PresentedCertificate, { kind: 'certificate' }>['chain'];

/** The field in which `countersign doctor` says which requests are its own. */
export const DOCTOR_HEADER = 'x-countersign-doctor';

type Present = (request: ForwardedRequest) => PresentedCertificate;

/** The same, but what it does with requests that somebody watches is told to them. The answer is the same. */
export function observed(present: Present, terminator: Terminator, observations: Observations<Observation>): Present {
  return (request) => {
    const id = observations.watchedBy(() => valuesOf(request.headers, DOCTOR_HEADER));
    if (id === undefined) return present(request);
    try {
      const presented = present(request);
      observations.add(id, observation(request, terminator, believedOf(presented)));
      return presented;
    } catch (error) {
      const reason = error instanceof OAuthError ? error.reason : 'a fault of ours';
      observations.add(id, observation(request, terminator, { kind: 'refused', reason }));
      throw error;
    }
  };
}

function believedOf(presented: PresentedCertificate): Believed {
  if (presented.kind === 'none') return presented;
  const { subjectText, thumbprint } = presented.certificate;
  return { kind: 'certificate', subject: subjectText, thumbprint, chain: presented.chain };
}

function observation({ headers, peer }: ForwardedRequest, terminator: Terminator, believed: Believed): Observation {
  const reason = distrustReason(peer, headers, terminator.hop);
  return {
    peer: peer.kind === 'unix' ? 'unix' : peer.address,
    hop: reason === undefined ? { trusted: true } : { trusted: false, reason },
    fields: observedFields(headers, terminator),
    believed,
  };
}

const MAX_FIELDS = 64;
const MAX_SHOWN = 120;
const alsoShown = ['connection', 'early-data', 'trailer'];

function observedFields(headers: RawHeaders, terminator: Terminator): ObservedField[] {
  const shown = new Set([...knownHeaders, ...forwardedHeaders(terminator), ...alsoShown, PROXY_SECRET_HEADER]);
  const fields: ObservedField[] = [];
  for (let i = 0; i + 1 < headers.length && fields.length < MAX_FIELDS; i += 2) {
    const name = headers[i] ?? '';
    // What a client spells otherwise is shown as well: some proxies and frameworks take it for the same.
    const alike = name.toLowerCase().replace(/[._]/g, '-');
    if (shown.has(alike)) fields.push(observedField(name, headers[i + 1] ?? '', alike === PROXY_SECRET_HEADER));
  }
  return fields;
}

function observedField(name: string, value: string, isSecret: boolean): ObservedField {
  if (isSecret) return { name, octets: value.length, value: '(not shown)', digest: '(not shown)' };
  const digest = createHash('sha256').update(value, 'latin1').digest('base64url');
  return { name, octets: value.length, value: value.slice(0, MAX_SHOWN), digest };
}

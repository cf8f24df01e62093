import type { ClientCertificateReader } from '../../authentication/client-certificate.ts';
import type { PresentedCertificate } from '../../clients/methods/method.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { ForwardedRequest } from '../../terminator/forwarded-certificate.ts';
import type { Terminator } from '../../terminator/terminator.ts';
import { untrustedReason } from '../../terminator/trusted-proxy.ts';
import type { ObservationStore } from './observation-store.ts';
import { type ObservedField, observedFields } from './observed-fields.ts';

/** What the server received with one request, and the outcome. It contains no secrets: certificates are public. */
export interface Observation {
  /** The part of the tag after the id, by which the doctor recognizes its request. */
  readonly request: string;
  /** IP address, or `unix`. */
  readonly peer: string;
  readonly proxy_trust: { readonly trusted: boolean; readonly reason?: string };
  readonly fields: readonly ObservedField[];
  readonly outcome: Outcome;
}

/** Whether the server accepted a client certificate with the request. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly subject: string; readonly thumbprint: string; readonly chain: Chain }
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string };

interface Chain {
  readonly verified: boolean;
  readonly reason: string;
}

/** The field by which `countersign doctor` tags its requests: `{watch id}.{request}`. */
export const DOCTOR_HEADER = 'x-countersign-doctor';

const MAX_REQUEST_CHARACTERS = 16;

interface Tag {
  readonly id: string;
  readonly request: string;
}

/** Wraps a reader so that requests of an active watch are observed. What it returns and throws does not change. */
export function withObserver(
  readCertificate: ClientCertificateReader,
  terminator: Terminator,
  observations: ObservationStore<Observation>,
): ClientCertificateReader {
  return (request, entry) => {
    const tag = observations.findWatched(() => readTags(request.headers));
    if (tag === undefined) return readCertificate(request, entry);
    return readObserved(
      () => readCertificate(request, entry),
      (outcome) => observations.add(tag.id, observationOf(tag, request, terminator, outcome)),
    );
  };
}

/** The id of the watch for checks without any certificate. */
export const WITHOUT_CERTIFICATE = 'check-without-certificate';

/**
 * The same for checks. They have no header of the request that they are about, and so no tag: a check is observed by the
 * watch whose id is the thumbprint of its certificate, or by the one for checks without any.
 */
export function withCheckObserver(
  readCertificate: ClientCertificateReader,
  terminator: Terminator,
  checks: ObservationStore<Observation>,
): ClientCertificateReader {
  return (request, entry) =>
    readObserved(
      () => readCertificate(request, entry),
      (outcome) => {
        const tag = checks.findWatched(() => checkTags(outcome, request.headers, terminator));
        if (tag) checks.add(tag.id, observationOf(tag, request, terminator, outcome));
      },
    );
}

function checkTags(outcome: Outcome, headers: HeaderFields, terminator: Terminator): Tag[] {
  const ids = () => {
    if (outcome.kind === 'accepted') return [outcome.thumbprint];
    if (outcome.kind === 'absent') return [WITHOUT_CERTIFICATE];
    return observedFields(headers, terminator).flatMap(({ certificate }) => certificate?.thumbprint ?? []);
  };
  return ids().map((id) => ({ id, request: '' }));
}

function readObserved(read: () => PresentedCertificate, add: (outcome: Outcome) => void): PresentedCertificate {
  try {
    const presented = read();
    add(outcomeOf(presented));
    return presented;
  } catch (error) {
    add({ kind: 'rejected', reason: error instanceof OAuthError ? error.reason : 'internal error' });
    throw error;
  }
}

function readTags(headers: HeaderFields): Tag[] {
  return headers.all(DOCTOR_HEADER).map((value) => {
    const dot = value.indexOf('.');
    if (dot < 0) return { id: value, request: '' };
    return { id: value.slice(0, dot), request: value.slice(dot + 1, dot + 1 + MAX_REQUEST_CHARACTERS) };
  });
}

function outcomeOf(presented: PresentedCertificate): Outcome {
  if (presented.kind === 'none') return { kind: 'absent', reason: presented.reason };
  const { subjectText, thumbprint } = presented.certificate;
  const { verified, reason } = presented.chain;
  return { kind: 'accepted', subject: subjectText, thumbprint, chain: { verified, reason } };
}

function observationOf(
  { request }: Tag,
  { headers, peer }: ForwardedRequest,
  terminator: Terminator,
  outcome: Outcome,
): Observation {
  const untrusted = untrustedReason(peer, headers, terminator.proxyTrust);
  return {
    request,
    peer: peer.kind === 'unix' ? 'unix' : peer.address,
    proxy_trust: untrusted ? { trusted: false, reason: untrusted.reason } : { trusted: true },
    fields: observedFields(headers, terminator),
    outcome,
  };
}

import type { HttpRequest } from '../../http/received-request.ts';
import type { AccessTokenVerifier } from '../../tokens/access-token-verifier.ts';
import { type Arrival, describeArrival } from './arrival.ts';
import type { ObservationStore } from './observation-store.ts';

export interface UpstreamDependencies {
  readonly arrivals: ObservationStore<Arrival>;
  readonly accessTokens: Pick<AccessTokenVerifier, 'verify'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The parameter of the query by which `countersign doctor --edge` tags its requests: `{watch id}.{request}`. A header
 * would not do: proxies at the edge remove those that may be Countersign's, or forward only some.
 */
export const DOCTOR_PARAMETER = 'countersign-doctor';

const TAG = new RegExp(`[?&]${DOCTOR_PARAMETER}=([A-Za-z0-9_-]{22,86})\\.([A-Za-z0-9]{1,16})(?:&|$)`);

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The upstream of a test route: any method and path that the operations listener does not serve otherwise. It responds
 * with 204 to the requests of an active watch, which it observes, and with 404 to all others.
 */
export function upstreamEndpoint({ arrivals, accessTokens, now }: UpstreamDependencies) {
  return async (request: HttpRequest): Promise<Response> => {
    const tag = arrivals.findWatched(() => readTags(request.url ?? ''));
    if (!tag) return new Response('404 Not Found', { status: 404 });
    // The trailers follow the body. Whether it is complete does not matter.
    await request.readBody(MAX_BODY_BYTES).catch(() => undefined);
    arrivals.add(tag.id, await describeArrival(tag.request, request, accessTokens, now()));
    return new Response(null, { status: 204 });
  };
}

function readTags(target: string) {
  const [, id, request] = TAG.exec(target) ?? [];
  return id !== undefined && request !== undefined ? [{ id, request }] : [];
}

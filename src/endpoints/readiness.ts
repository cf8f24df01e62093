import type { EndpointContext } from './request.ts';

/**
 * Whether requests should be routed to this replica: 200 if it can serve at least one client, otherwise 503 with the
 * reason.
 *
 * @param notReadyReason why no client can be served; undefined if some can
 */
export function readiness(notReadyReason: () => string | undefined): (c: EndpointContext) => Response {
  return (c) => {
    const reason = notReadyReason();
    return reason === undefined ? c.text('ok\n') : c.text(`not ready: ${reason}\n`, 503);
  };
}

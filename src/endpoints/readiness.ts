/**
 * Whether requests should be routed to this replica: 200 if it can serve at least one client, otherwise 503 with the
 * reason.
 *
 * @param notReadyReason why no client can be served; undefined if some can
 */
export function readiness(notReadyReason: () => string | undefined): () => Response {
  return () => {
    const reason = notReadyReason();
    return reason === undefined ? new Response('ok\n') : new Response(`not ready: ${reason}\n`, { status: 503 });
  };
}

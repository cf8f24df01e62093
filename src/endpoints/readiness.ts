import type { EndpointContext } from './request.ts';

/**
 * Whether requests should be sent to this replica: 200 while there is somebody whom it could serve, else 503 with why.
 *
 * @param unready why nobody could be served at the moment; undefined where somebody could
 */
export function readiness(unready: () => string | undefined): (c: EndpointContext) => Response {
  return (c) => {
    const reason = unready();
    return reason === undefined ? c.text('ok\n') : c.text(`not ready: ${reason}\n`, 503);
  };
}

import type { ForwardingConfig } from '../../observer/effective-config.ts';

/**
 * What is wrong with a route at the edge.
 *
 * - `unchecked`: a request reached the upstream that the edge did not approve
 * - `missing`: the proxy does not pass on the identity headers of the edge
 * - `forged`: identity headers of the client reached the upstream
 * - `authorization`: an Authorization reached the upstream that the edge did not issue or verify
 * - `contradiction`: the headers and the token are not of one response of the edge
 * - `lost`: a client can remove what the edge states
 * - `forged_certificate`: the edge accepted a certificate that the client did not present in the handshake
 */
export type EdgeProblem =
  | 'unchecked'
  | 'missing'
  | 'forged'
  | 'authorization'
  | 'contradiction'
  | 'lost'
  | 'forged_certificate';

interface Fixes {
  readonly general: string;
  readonly nginx: string;
  readonly envoy: string;
}

const fixes: Readonly<Record<EdgeProblem, Fixes>> = {
  unchecked: {
    general:
      'configure the proxy to check every request of this route, and to deny it when the check fails or gets no response',
    nginx:
      'in this location, set $countersign_check to the route of the resource and include edge-protect.conf as shipped: with ' +
      '"auth_request", and with "satisfy all" and no "satisfy any"',
    envoy:
      'give this route a rule with check_settings for ext_authz, and not "disabled: true"; keep "failure_mode_allow: false" and ' +
      'the timeout of 1s',
  },
  missing: {
    general: 'configure the proxy to copy each identity header from the response to the check into the request',
    nginx:
      'include edge-protect.conf in this location itself, with its auth_request_set and proxy_set_header for each identity header',
    envoy:
      'add "authorization_response" with each identity header in allowed_upstream_headers to the http_service of this route, ' +
      'which inherits nothing from the filter; remove the identity headers from request_headers_to_remove',
  },
  forged: {
    general: 'configure the proxy to remove these headers of clients in every spelling, before the check',
    nginx:
      'include edge-protect.conf in this location itself, with its proxy_set_header for each of these headers, and edge-check.conf ' +
      'in the server, with "underscores_in_headers off" and "ignore_invalid_headers on"',
    envoy:
      'remove them in early_header_mutation_extensions with the safe_regex of the shipped file, in which a dot matches "-", "_" and ' +
      '"."; and set "headers_with_underscores_action: DROP_HEADER"',
  },
  authorization: {
    general:
      'configure the proxy to replace Authorization with that of the response to the check, and to remove it if there is none',
    nginx:
      'include edge-protect.conf in this location itself, with "proxy_set_header Authorization $countersign_authorization"',
    envoy:
      'add "authorization_response" with "exact: authorization" in allowed_upstream_headers to the http_service of this route, ' +
      'which inherits nothing from the filter',
  },
  contradiction: {
    general:
      'configure the proxy to take Authorization and all identity headers from the response to the check of this request',
    nginx: 'restore the auth_request_set and proxy_set_header of edge-protect.conf, and do not cache checks',
    envoy:
      'restore allowed_upstream_headers of the shipped file, and add no filter behind ext_authz that sets these headers',
  },
  lost: {
    general:
      'configure the proxy not to delete headers that Connection of the client names after the check has set them',
    nginx: 'set "proxy_set_header Connection" in this location, as edge.conf does',
    envoy: 'restore the order of the shipped filters: header_mutation, ext_authz, router',
  },
  forged_certificate: {
    general:
      'configure the proxy to overwrite the headers in which it forwards the certificate of the handshake to the edge',
    nginx: 'restore "proxy_pass_request_headers off" and the proxy_set_header of edge-request.conf',
    envoy: 'set "forward_client_cert_details: SANITIZE_SET", and allow only exact names in allowed_headers',
  },
};

const OTHER_FILES = '; compare the configuration with that of deploy/edge/';

/** @param edge the configuration of the edge listener, which names the proxy */
export function edgeFix(problem: EdgeProblem, { terminator }: Pick<ForwardingConfig, 'terminator'>): string {
  const { general, nginx, envoy } = fixes[problem];
  if (terminator === 'nginx') return `${general} (nginx: ${nginx})`;
  if (terminator === 'envoy') return `${general} (Envoy: ${envoy})`;
  return general + OTHER_FILES;
}

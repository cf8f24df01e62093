import type { ReasonTable } from './reason.ts';

/** What only a check at the edge can find. */
export const edgeReasons = {
  route_unknown: {
    meaning: 'The path of the check is not /edge/{mint|verify|either}/{resource}.',
    cause: 'The proxy sends the sub-request to another path, such as that of the client.',
    fix: 'Correct the path of the check in the proxy (nginx: proxy_pass of the location for auth_request).',
    denial: 'unknown_route',
  },
  resource_unknown: {
    meaning: 'No resource has the name that the check names.',
    cause: 'A typing error in the proxy, or the record of the resource was not applied.',
    fix: 'Run `countersign resources list`, and correct the name in the proxy or apply the record.',
    denial: 'unknown_route',
  },
  authorization_missing: {
    meaning: 'The request has no Authorization header, and the route requires a token.',
    cause: 'The client sends no token, or the proxy does not pass the header to the check.',
    fix: 'Let the client send its token (RFC 6750 §2.1), or use the route mint or either.',
    denial: 'invalid_request',
  },
  bearer_malformed: {
    meaning: 'The Authorization header is repeated, or is not Bearer with exactly one token.',
    cause: 'The client uses another scheme, or a proxy adds an Authorization header of its own.',
    fix: 'Let the client send `Authorization: Bearer TOKEN` once, and the proxy pass it unchanged.',
    denial: 'invalid_token',
  },
  token_scope_insufficient: {
    meaning: 'The token lacks a scope that the resource requires.',
    cause: 'The client requested fewer scopes than it needs.',
    fix: 'Let the client request the scopes that the challenge names.',
    denial: 'insufficient_scope',
  },
} as const satisfies ReasonTable;

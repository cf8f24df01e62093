import { identityHeaders, REMOVAL_HEADER } from '../../src/edge/approval.ts';
import { denialStatus } from '../../src/edge/denial.ts';
import { routeKinds } from '../../src/edge/route.ts';
import { header, type Operation, type ResponseObject } from './operation.ts';

/** The operation of the edge listener. */

const descriptions: Readonly<Record<string, string>> = {
  Authorization: '`Bearer` and the token for the upstream',
  'X-Countersign-Client-Id': 'The client',
  'X-Countersign-Subject': 'The subject of the token',
  'X-Countersign-Scope': 'Its scope, separated by spaces',
  'X-Countersign-Audience': 'Its audience, separated by spaces',
  'X-Countersign-Expires': 'When it expires, in seconds since the epoch',
};

const approved: ResponseObject = {
  description: 'The request may pass; the proxy sends these headers to the upstream',
  headers: {
    ...Object.fromEntries(Object.keys(identityHeaders).map((name) => [name, header(descriptions[name] ?? name)])),
    [REMOVAL_HEADER]: header('The headers above that Envoy removes from the request'),
  },
};

const denied = [...Map.groupBy(Object.entries(denialStatus), ([, status]) => String(status))].map(
  ([status, denials]): [string, ResponseObject] => {
    const codes = denials.map(([code]) => code);
    const challenge = status === '503' ? {} : { 'WWW-Authenticate': header('RFC 6750 §3') };
    const retry =
      status === '503' || codes.some((code) => code === 'rate_limited') ? { 'Retry-After': header('In seconds') } : {};
    return [
      status,
      {
        description: `Denied: ${codes.map((code) => `\`${code}\``).join(', ')}`,
        headers: { 'X-Countersign-Error': header('The error code', { enum: codes }), ...challenge, ...retry },
      },
    ];
  },
);

const check: Operation = {
  operationId: 'checkRequest',
  summary: 'Decide whether a request may pass',
  description:
    'For `auth_request` of nginx, `ext_authz` of Envoy, and the like, on the edge listener. Any method; the body is not read. ' +
    'What follows the name of the resource in the path is ignored.',
  tags: ['Edge'],
  security: [{ mutualTLS: [] }],
  parameters: [
    {
      name: 'kind',
      in: 'path',
      required: true,
      description: '`mint`: a token about the caller. `verify`: its bound token. `either`: whichever the request has',
      schema: { type: 'string', enum: routeKinds },
    },
    {
      name: 'resource',
      in: 'path',
      required: true,
      description: 'The name of a resource record',
      schema: { type: 'string', pattern: '^[a-z0-9-]{1,63}$' },
    },
    {
      name: 'Authorization',
      in: 'header',
      required: false,
      description: '`Bearer` and the token, for `verify` and `either`',
      schema: { type: 'string' },
    },
  ],
  responses: { 200: approved, ...Object.fromEntries(denied) },
};

export const edgePaths = { '/edge/{kind}/{resource}': { get: check } } as const;

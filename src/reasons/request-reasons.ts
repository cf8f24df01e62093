import type { ReasonTable } from './reason.ts';

/** Requests that are wrong in themselves, no matter who sent them: their method, their header and their form. */
export const requestReasons = {
  method_not_allowed: {
    meaning: 'The request has a method that the endpoint does not accept.',
    cause: 'A client sends GET to an endpoint that requires POST, or a person opened its URL in a browser.',
    fix: 'Send the request with POST. Metadata and keys are read with GET.',
    error: 'invalid_request',
    status: 405,
  },
  query_not_allowed: {
    meaning: 'The URL of the request has a query.',
    cause: 'A client sends parameters in the URL, where proxies log them.',
    fix: 'Send the parameters in the body (RFC 6749 §2.3.1), and nothing behind the path of the endpoint.',
    error: 'invalid_request',
  },
  content_type_repeated: {
    meaning: 'The request has more than one Content-Type.',
    cause: 'A client or a proxy adds the field instead of setting it.',
    fix: 'Set the field once.',
    error: 'invalid_request',
  },
  content_type_unsupported: {
    meaning: 'The body of the request is not a form.',
    cause: 'A client sends JSON, or no Content-Type at all.',
    fix: 'Send the parameters as application/x-www-form-urlencoded (RFC 6749 §3.2).',
    error: 'invalid_request',
  },
  charset_unsupported: {
    meaning: 'The Content-Type names a charset in which the form cannot be read.',
    cause: 'A client names UTF-16 or two charsets, or sends characters beyond ASCII in another charset than UTF-8.',
    fix: 'Send UTF-8, and no charset parameter.',
    error: 'invalid_request',
  },
  content_encoding_unsupported: {
    meaning: 'The body of the request is compressed.',
    cause: 'A client library compresses requests (Content-Encoding: gzip).',
    fix: 'Turn off the compression of requests in the client.',
    error: 'invalid_request',
    status: 415,
  },
  content_range_unsupported: {
    meaning: 'The body of the request is declared to be a part of something (Content-Range).',
    cause: 'A client library resumes uploads.',
    fix: 'Send the whole form in one request, without Content-Range.',
    error: 'invalid_request',
  },
  body_too_large: {
    meaning: 'The body of the request is larger than 64 KiB.',
    cause: 'A client sends something else than a token request, or a very large parameter.',
    fix: 'Find the parameter that is too large in the client. The limit is fixed.',
    error: 'invalid_request',
    status: 413,
  },
  body_incomplete: {
    meaning: 'The body of the request did not arrive in full.',
    cause: 'The client closed the connection, a chunk of the body is malformed, or the network failed.',
    fix: 'See the reason. If it names a chunk, correct the client or the proxy that wrote it.',
    error: 'invalid_request',
  },
  body_timeout: {
    meaning: 'The body of the request did not arrive in time.',
    cause: 'The client stopped sending: a slow network, or an attack by slow requests.',
    fix: 'Let the proxy buffer requests (nginx: proxy_request_buffering on, the default).',
    error: 'invalid_request',
    status: 408,
  },
  connection_closed: {
    meaning: 'The peer closed the connection before the server asked for its address.',
    cause: 'The proxy gave up, usually after a timeout of its own.',
    fix: 'Compare the timeouts of the proxy with the duration of other requests.',
    error: 'invalid_request',
  },
  form_malformed: {
    meaning: 'The form has a byte order mark, a malformed percent-encoding, or a character that is not allowed.',
    cause: 'A client builds the form by hand and does not encode the values.',
    fix: 'Encode names and values with the form encoder of the HTTP library.',
    error: 'invalid_request',
  },
  parameter_repeated: {
    meaning: 'The form has the same parameter twice. Only resource may be repeated.',
    cause: 'A client library and the application both set the parameter.',
    fix: 'Set the parameter in one place (RFC 6749 §3.2).',
    error: 'invalid_request',
  },
  token_missing: {
    meaning: 'The form has no token parameter.',
    cause: 'A client calls introspection or revocation without a token, or with an empty one.',
    fix: 'Send the token in the parameter token (RFC 7662 §2.1, RFC 7009 §2.1).',
    error: 'invalid_request',
  },
  endpoint_unknown: {
    meaning: 'The server has no endpoint at this path.',
    cause: 'The client or the proxy uses another base URL than the issuer.',
    fix: 'Take the URLs of the endpoints from the metadata document of the issuer.',
    error: 'invalid_request',
    status: 404,
    isAudited: false,
  },
  authorization_endpoint_unused: {
    meaning: 'The request went to the authorization endpoint, which no client may use.',
    cause: 'A client is configured for a flow with users.',
    fix: 'Configure the client for the grant client_credentials.',
    error: 'unauthorized_client',
    isAudited: false,
  },
} as const satisfies ReasonTable;

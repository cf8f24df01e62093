import { getRequestListener } from '@hono/node-server';
import type { HttpReasonCode } from '../reasons/reasons.ts';
import { MAX_HEADER_BYTES, responseFor } from './malformed-reasons.ts';
import type { ReceivedRequest } from './received-request.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import type { Serve } from './sent-response.ts';

/** What a listener serves, and in which form it rejects the requests that never reach the application. */
export interface Application {
  readonly serve: Serve;
  readonly parseHead: (request: ReceivedRequest) => RequestHead;
  /** Of the request line and the header fields together. */
  readonly maxHeaderBytes: number;
  /** Whether responses have a `Date` field (RFC 9110 §6.6.1). */
  readonly sendsDate: boolean;
  /** `false`: the response depends on the head alone, so no client is asked to continue (RFC 9110 §10.1.1). */
  readonly readsBodies: boolean;
  /** Whether a request with a method that Node's parser does not know is served, as GET; see `unknown-methods.ts`. */
  readonly acceptsAnyMethod: boolean;
  /** Whether a request is rejected while the server is overloaded. */
  readonly isShed: (request: ReceivedRequest) => boolean;
  readonly overloaded: ErrorResponse;
  /** The response to a malformed request. */
  readonly malformed: (code: HttpReasonCode) => ErrorResponse;
}

/** A complete response, apart from what concerns the connection. */
export interface ErrorResponse {
  /** The error code in it. */
  readonly error: string;
  readonly status: number;
  /** Sent if Node does not send the response itself. */
  readonly phrase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The application that Hono routes: its `app.fetch`. */
export type Fetch = Parameters<typeof getRequestListener>[0];

export function honoApplication(fetch: Fetch): Application {
  return {
    serve: getRequestListener(fetch),
    parseHead: parseRequestHead,
    maxHeaderBytes: MAX_HEADER_BYTES,
    sendsDate: true,
    readsBodies: true,
    acceptsAnyMethod: false,
    // Documents (GET) are served: that costs hardly more than a rejection.
    isShed: ({ method }) => method === 'POST',
    overloaded: overloadedResponse,
    malformed: (code) => {
      const { status, phrase, description } = responseFor(code);
      return jsonError(status, phrase, { error: 'invalid_request', error_description: description });
    },
  };
}

/** A JSON error, as every endpoint sends it. */
function jsonError(
  status: number,
  phrase: string,
  error: { readonly error: string; readonly error_description: string },
): ErrorResponse {
  const body = JSON.stringify(error);
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'content-length': String(body.length),
  };
  return { error: error.error, status, phrase, headers, body };
}

const overloadedJson = jsonError(503, 'Service Unavailable', {
  error: 'temporarily_unavailable',
  error_description: 'The server is overloaded; try again.',
});
const overloadedResponse: ErrorResponse = {
  ...overloadedJson,
  headers: { ...overloadedJson.headers, 'retry-after': '1' },
};

import { printable } from '../../text.ts';
import type { HttpResponse } from './exchange.ts';

/** A JSON object; undefined for any other text. */
export function jsonObjectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What to check after an error of the token endpoint (RFC 6749 §5.2, RFC 8707 §2), one clause each. */
const advice: Readonly<Record<string, string>> = {
  invalid_client:
    'check that the client is registered with this client_id and this certificate, and is enabled. The server does not disclose the ' +
    'exact reason: look for the event token_rejected in the log of the server',
  invalid_request: 'the log of the server has the exact reason',
  invalid_scope: 'ask with --scope for scopes of the client only, or register the scope',
  invalid_target:
    'ask with --resource for audiences of the client only, and for an isolated one alone; or register the audience',
  unauthorized_client: 'register client_credentials among the grant_types of the client',
  unsupported_grant_type: 'the server does not offer client credentials: check --url',
};

/** An error response, explained. */
export interface ExplainedError {
  /** The OAuth error code; undefined if the response is not of an authorization server. */
  readonly error: string | undefined;
  readonly problem: string;
}

/**
 * Explains a response of the token endpoint that has no token.
 *
 * @param clientId the client that asked
 */
export function explainErrorResponse(response: HttpResponse, clientId: string): ExplainedError {
  const body = jsonObjectIn(response.body);
  const error = typeof body?.error === 'string' ? body.error : undefined;
  if (body === undefined || error === undefined) return { error, problem: describeForeignResponse(response) };
  const description =
    typeof body.error_description === 'string' ? `: ${printable(body.error_description.replace(/\.$/, ''))}` : '';
  const known = Object.hasOwn(advice, error) ? `; ${advice[error]}` : retryAdvice(response);
  return {
    error,
    problem: `the server rejects client "${clientId}" with ${printable(error)} (HTTP ${response.status})${description}${known}`,
  };
}

function retryAdvice({ headers }: HttpResponse): string {
  const after = headers['retry-after'];
  return after === undefined ? '' : `; try again in ${printable(String(after))} s`;
}

const MAX_EXCERPT = 200;

/** Describes a response that an authorization server does not send, such as that of a proxy. */
export function describeForeignResponse(response: HttpResponse): string {
  const { status, headers, body } = response;
  const { location, server } = headers;
  if (location !== undefined) return `HTTP ${status}, a redirect to ${printable(location)}: use that address as --url`;
  const from = server === undefined ? '' : ` from ${printable(String(server))}`;
  const text = excerptOf(body);
  return `HTTP ${status}${from}${fixFor(status)}${retryAdvice(response)}${text === '' ? '' : `: ${text}`}`;
}

/** The text of a page or another body, in one line. */
function excerptOf(body: string): string {
  const text = body
    .slice(0, 16 * MAX_EXCERPT)
    .replace(/<(style|script)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return printable(text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT).toWellFormed()}…` : text);
}

function fixFor(status: number): string {
  if (status === 404) return ', no such path: check the path in --url';
  if (status >= 502 && status <= 504) return ', the terminator does not reach the server';
  if (status === 401 || status === 403) return ', the terminator rejects the request';
  return '';
}

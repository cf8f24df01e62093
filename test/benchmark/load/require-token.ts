import type { RawResponse } from './token-connection.ts';
import { UnavailableError } from './unavailable.ts';

/** The start of a JWT: a header that is a JSON object, and a payload. */
const jwt = /"access_token" ?: ?"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{64,}"/;

/**
 * Errors are cheap to produce, so a server that responds with one would win.
 *
 * @throws {UnavailableError} if the response is 503
 * @throws {Error} if it is anything else but 200 with a JWT
 */
export function requireToken({ status, text }: RawResponse): void {
  if (status === 503) throw new UnavailableError(`expected 200 with a token, received: ${text.slice(0, 600)}`);
  if (status !== 200) throw new Error(`expected 200 with a token, received: ${text.slice(0, 600)}`);
  if (!jwt.test(text)) throw new Error(`expected a JWT, received: ${text.slice(0, 600)}`);
}

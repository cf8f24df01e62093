import type { RawResponse } from './token-connection.ts';

/** The start of a JWT: a header that is a JSON object, and a payload. */
const jwt = /"access_token" ?: ?"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{64,}"/;

/**
 * Errors are cheap to produce, so a server that responds with one would win.
 *
 * @throws {Error} if the response is anything but 200 with a JWT
 */
export function requireToken({ status, text }: RawResponse): void {
  if (status !== 200) throw new Error(`expected 200 with a token, received: ${text.slice(0, 600)}`);
  if (!jwt.test(text)) throw new Error(`expected a JWT, received: ${text.slice(0, 600)}`);
}

/**
 * The `Authorization` field of a request, as far as it can authenticate a client (RFC 6749 §2.3.1): undefined if there
 * is none. A bearer token authenticates none (RFC 6750 §2.1), so it counts as absent: applications set their last token
 * as a default header, and the client sends it when it requests the next one.
 *
 * @param value of the field, its lines combined (RFC 9110 §5.3)
 */
export function clientAuthorization(value: string | undefined): string | undefined {
  return value === undefined || isBearer(value) ? undefined : value;
}

/** After a comma or a space there may be other credentials, which a client or a proxy has joined. */
function isBearer(value: string): boolean {
  const [scheme] = /^bearer(?: +|$)/i.exec(value) ?? [];
  return scheme !== undefined && !/[ \t,]/.test(value.slice(scheme.length));
}

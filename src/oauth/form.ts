import { invalidRequest } from './oauth-error.ts';

/** The parameters of a request that have a value. Only `resource` can have more than one. */
export interface Form {
  /** The value of a parameter; undefined if it is absent or empty. */
  get(name: string): string | undefined;
  /** All values of a parameter that may be repeated. */
  all(name: RepeatableParameter): readonly string[];
}

/** RFC 8707 §2: the one exception to RFC 6749 §3.2. */
type RepeatableParameter = 'resource';

const repeatable: ReadonlySet<string> = new Set<RepeatableParameter>(['resource']);
const MEDIA_TYPE = 'application/x-www-form-urlencoded';

/**
 * Rejects a body that is not a form. RFC 6749 §3.2 and appendix B: UTF-8 is the only character set.
 *
 * @throws {OAuthError} invalid_request
 */
export function requireFormContentType(contentType: string | undefined): void {
  const [mediaType = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const understood = parameters.every((text) => /^(?:|charset=utf-8|charset="utf-8")$/.test(text.trim()));
  if (mediaType.trim() === MEDIA_TYPE && understood) return;
  throw invalidRequest(`The request body must be ${MEDIA_TYPE}.`);
}

/**
 * Parses a form (RFC 6749 §3.2, appendix B). A parameter without a value counts as omitted. A repeated one is rejected,
 * even if it is empty or unknown: two parsers of the same request could otherwise read different values.
 *
 * @throws {OAuthError} invalid_request
 */
export function parseForm(body: string): Form {
  requireWellFormedEscapes(body);
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(body)) {
    requireText(name);
    requireText(value);
    const values = parameters.get(name);
    if (!values) parameters.set(name, [value]);
    else if (repeatable.has(name)) values.push(value);
    else throw invalidRequest('A request parameter is repeated.');
  }
  const present = (name: string) => (parameters.get(name) ?? []).filter((value) => value !== '');
  return { get: (name) => present(name)[0], all: present };
}

function requireWellFormedEscapes(body: string): void {
  if (/%(?![0-9A-Fa-f]{2})/.test(body)) throw invalidRequest('The request body has a malformed percent-encoding.');
}

/** URLSearchParams substitutes U+FFFD for bytes that are not UTF-8, so two different bodies would parse alike. */
function requireText(text: string): void {
  if (text.includes('\uFFFD') || text.includes('\0')) {
    throw invalidRequest('The request body has a character that is not allowed.');
  }
}

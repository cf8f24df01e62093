import { invalidRequest } from './oauth-error.ts';

/** The parameters of a request, each present and not empty. Only `resource` can hold more than one value. */
export interface Form {
  /** The value of a parameter, or undefined where it was absent or sent without a value. */
  get(name: string): string | undefined;
  /** Every value of a parameter that may be repeated. */
  all(name: RepeatableParameter): readonly string[];
}

/** RFC 8707 §2 is the one exception to RFC 6749 §3.2. */
export type RepeatableParameter = 'resource';

const repeatable: ReadonlySet<string> = new Set<RepeatableParameter>(['resource']);
const MEDIA_TYPE = 'application/x-www-form-urlencoded';

/**
 * Refuses a body that is not a form. RFC 6749 §3.2 and appendix B: UTF-8 is the only character set.
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
 * Parses a form (RFC 6749 §3.2, appendix B). A parameter without a value counts as omitted; one that is repeated is
 * refused, also when it is empty or unknown to us: what two readers of one request could read differently is not read.
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

/** URLSearchParams puts U+FFFD where the octets are not UTF-8, so two different bodies would read alike. */
function requireText(text: string): void {
  if (text.includes('\uFFFD') || text.includes('\0')) {
    throw invalidRequest('The request body has a character that is not allowed.');
  }
}

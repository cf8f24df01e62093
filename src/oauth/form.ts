import { MIMEType } from 'node:util';
import { abbreviate } from '../text.ts';
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
 * The charset that a Content-Type gives a form: undefined for UTF-8, the only one that the media type has (RFC 6749
 * appendix B). Clients that name another one send ASCII nevertheless. Other parameters have no meaning.
 *
 * @throws {OAuthError} invalid_request when it is not the media type of a form, or ASCII means something else in the
 *   charset
 */
export function foreignCharset(contentType: string | undefined): string | undefined {
  if (contentType === MEDIA_TYPE) return undefined;
  const type = parseMediaType(contentType);
  if (type?.essence !== MEDIA_TYPE)
    throw invalidRequest('content_type_unsupported', `The request body must be ${MEDIA_TYPE}.`);
  const charset = type.params.get('charset') ?? 'utf-8';
  const encoding = encodingOf(charset);
  if (charsetsOf(contentType).size > 1)
    throw invalidRequest('charset_unsupported', 'The Content-Type names more than one charset.');
  if (encoding === undefined || !containsAscii(encoding)) {
    throw invalidRequest('charset_unsupported', 'The charset of the request body is not supported: send UTF-8.', {
      reason: `the Content-Type names the charset ${JSON.stringify(abbreviate(charset))}, which is not supported: send UTF-8`,
    });
  }
  return encoding === 'utf-8' ? undefined : charset;
}

/** In UTF-16 the bytes of ASCII mean something else, and in ISO-2022-JP they do after an escape sequence. */
function containsAscii(encoding: string): boolean {
  return !encoding.startsWith('utf-16') && encoding !== 'iso-2022-jp';
}

/** MIMEType keeps the first value of a repeated parameter; other parsers keep the last. */
function charsetsOf(contentType = ''): ReadonlySet<string> {
  const parameters = contentType.matchAll(/;([^=;"]+)=("(?:[^"\\]|\\.)*"|[^;"]*)/g);
  const charsets = [...parameters].filter(([, name = '']) => name.trim().toLowerCase() === 'charset');
  return new Set(charsets.map(([, , value = '']) => value.replaceAll('"', '').trim().toLowerCase()));
}

/** The name of the encoding that has this label in the WHATWG Encoding Standard. */
function encodingOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

function parseMediaType(contentType = ''): MIMEType | undefined {
  try {
    return new MIMEType(contentType);
  } catch {
    return undefined;
  }
}

/**
 * Parses a form (RFC 6749 §3.2, appendix B). A parameter without a value counts as omitted. A repeated one is rejected,
 * even if it is empty or unknown: two parsers of the same request could otherwise read different values.
 *
 * @param charset undefined for UTF-8; with any other one only ASCII is accepted
 * @throws {OAuthError} invalid_request
 */
export function parseForm(body: string, charset?: string): Form {
  if (body.startsWith('\uFEFF'))
    throw invalidRequest('form_malformed', 'The request body starts with a byte order mark.');
  requireWellFormedEscapes(body);
  const parameters = new Map<string, string[]>();
  for (const parameter of body.split('&')) {
    if (parameter === '') continue;
    const equals = parameter.indexOf('=');
    const name = decode(equals < 0 ? parameter : parameter.slice(0, equals), charset);
    const value = equals < 0 ? '' : decode(parameter.slice(equals + 1), charset);
    const values = parameters.get(name);
    if (values && !repeatable.has(name)) throw invalidRequest('parameter_repeated', 'A request parameter is repeated.');
    const present = value === '' ? [] : [value];
    if (values) values.push(...present);
    else parameters.set(name, present);
  }
  return { get: (name) => parameters.get(name)?.[0], all: (name) => parameters.get(name) ?? [] };
}

function requireWellFormedEscapes(body: string): void {
  if (/%(?![0-9A-Fa-f]{2})/.test(body))
    throw invalidRequest('form_malformed', 'The request body has a malformed percent-encoding.');
}

/** What is not printable ASCII, or does not stand for itself. */
const ENCODED = /[^\x20-\x7e]|[%+]/;

/** Decodes a name or a value like URLSearchParams, with U+FFFD for bytes that are not UTF-8. */
function decode(text: string, charset: string | undefined): string {
  if (!ENCODED.test(text)) return text;
  const decoded = decodePercent(text.replaceAll('+', ' '));
  requireText(decoded, charset);
  return decoded;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '\uFFFD';
  }
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** With U+FFFD in the place of bytes that are not UTF-8, two different bodies would parse alike. */
function requireText(text: string, charset: string | undefined): void {
  if (charset !== undefined && BEYOND_ASCII.test(text)) {
    throw invalidRequest(
      'charset_unsupported',
      'The request body has characters beyond ASCII, and its charset is not UTF-8.',
      {
        reason: `a parameter has characters beyond ASCII, and the Content-Type names the charset ${JSON.stringify(abbreviate(charset))}: send UTF-8`,
      },
    );
  }
  if (text.includes('\uFFFD') || text.includes('\0') || !text.isWellFormed()) {
    throw invalidRequest('form_malformed', 'The request body has a character that is not allowed.');
  }
}

import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { formatDistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import { scanCommaForm } from '../pki/certificate/names/parse-comma-form.ts';
import { isTrue, type Members, textOf } from './keycloak-json.ts';

/** The subject that a client is known by, in RFC 4514; or why it is not known, and what stands there. */
export type Subject =
  | { readonly ok: true; readonly dn: string }
  | { readonly ok: false; readonly why: string; readonly text: string | undefined };

const PATTERN_SETTING = 'x509.allow.regex.pattern.comparison';

/** Reads `x509.subjectdn` from the attributes of a client. Without the setting beside it, it is a pattern. */
export function readSubject(attributes: Members): Subject {
  const text = textOf(attributes['x509.subjectdn']);
  if (text === undefined) return { ok: false, why: 'its x509.subjectdn is empty, so nobody is this client', text };
  const setting = attributes[PATTERN_SETTING];
  const isPattern = setting === undefined || setting === null || isTrue(setting);
  const literal = isPattern ? literalOf(text) : text;
  if (literal !== undefined) return readName(literal);
  const why =
    `its x509.subjectdn is a pattern (${PATTERN_SETTING} is ${setting ?? 'not set'}), and every name that it matches ` +
    'is this client; a record has one name. Write that in RFC 4514';
  return { ok: false, why, text };
}

/** Java reads and prints names from the most specific part on, whatever the spaces; we write RFC 4514, which is that. */
function readName(text: string): Subject {
  try {
    const cursor = { text, at: 0 };
    const { rdns } = scanCommaForm(cursor, 'backslash');
    return { ok: true, dn: formatDistinguishedName({ rdns: rdns.toReversed() }) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { ok: false, why: `its x509.subjectdn: ${error.message}`, text };
  }
}

/** What a Java pattern stands for that matches one text only; undefined for others, and in doubt. */
function literalOf(pattern: string): string | undefined {
  const inner = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const rest = inner.replaceAll(/\\[^A-Za-z0-9]/g, '');
  if (/[\\.[\]{}()*+?^$|]/.test(rest)) return undefined;
  return inner.replaceAll(/\\([^A-Za-z0-9])/g, '$1');
}

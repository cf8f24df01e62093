import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import type { MatchableName } from '../../pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../pki/certificate/names/parse.ts';
import { type AlternativeNameKind, normalizeAlternativeName } from '../../pki/certificate/subject-alternative-names.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { describedAs, shortText, text } from '../record-fields.ts';
import { parseSpiffePattern, type SpiffePattern } from '../spiffe-pattern.ts';
import type { FieldsOf } from './method.ts';

/** The one subject value that a client of `tls_client_auth` is registered by (RFC 8705 §2.1.2). */
export type RegisteredSubject =
  | { readonly kind: 'dn'; readonly name: MatchableName }
  | { readonly kind: AlternativeNameKind; readonly name: string }
  | { readonly kind: 'spiffe'; readonly pattern: SpiffePattern };

/** RFC 8705 §2.1.2, and a SPIFFE ID: a client has exactly one of these. */
export const subjectFields = {
  tls_client_auth_subject_dn: text().optional().meta(describedAs('tls_client_auth: the subject DN, RFC 4514')),
  tls_client_auth_san_dns: shortText(253, 'RFC 1035 §2.3.4')
    .optional()
    .meta(describedAs('tls_client_auth: a DNS name of the certificate')),
  tls_client_auth_san_uri: text().optional().meta(describedAs('tls_client_auth: a URI of the certificate')),
  tls_client_auth_san_ip: text().optional().meta(describedAs('tls_client_auth: an IP address of the certificate')),
  tls_client_auth_san_email: shortText(320, 'RFC 5321 §4.5.3.1')
    .optional()
    .meta(describedAs('tls_client_auth: an email address of the certificate')),
  tls_client_auth_spiffe_id: shortText(2048, 'SPIFFE-ID §2.3')
    .optional()
    .meta({
      ...describedAs('tls_client_auth: the SPIFFE ID of the certificate; * in the path is any one segment'),
      pattern: String.raw`^spiffe://[a-z0-9._-]{1,255}(?:/(?:\*|[A-Za-z0-9._-]+))+$`,
    }),
};

type SubjectField = keyof typeof subjectFields;
type SubjectRecord = FieldsOf<typeof subjectFields>;

const parsers: Readonly<Record<SubjectField, (value: string) => RegisteredSubject>> = {
  tls_client_auth_subject_dn: (value) => ({ kind: 'dn', name: parseDistinguishedName(value) }),
  tls_client_auth_san_dns: (value) => ({ kind: 'dns', name: normalizeAlternativeName('dns', value) }),
  tls_client_auth_san_uri: (value) => ({ kind: 'uri', name: normalizeAlternativeName('uri', value) }),
  tls_client_auth_san_ip: (value) => ({ kind: 'ip', name: normalizeAlternativeName('ip', value) }),
  tls_client_auth_san_email: (value) => ({ kind: 'email', name: normalizeAlternativeName('email', value) }),
  tls_client_auth_spiffe_id: (value) => ({ kind: 'spiffe', pattern: parseSpiffePattern(value) }),
};
const subjectFieldNames = Object.keys(parsers) as SubjectField[];

/** A place in the record that contains a subject value. */
interface SubjectSource {
  readonly field: string;
  /** Milliseconds since the epoch after which it is no longer effective. */
  readonly notAfter: number | undefined;
  readonly parse: () => RegisteredSubject;
}

/** The subject value of a record, and the field that contains it. */
interface SubjectRegistration {
  readonly field: string;
  readonly subject: RegisteredSubject;
  /** Milliseconds since the epoch after which it is no longer effective. */
  readonly notAfter: number | undefined;
}

/** Parses the subject value of a record from its field or from IdentityServer's secret; reports what is wrong. */
export function parseRegisteredSubject(
  record: SubjectRecord,
  diagnostics: Diagnostics,
): SubjectRegistration | undefined {
  const source = onlySource(record, diagnostics);
  if (!source) return undefined;
  try {
    return { field: source.field, subject: source.parse(), notAfter: source.notAfter };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    diagnostics.errors.push({ field: source.field, message: error.message });
    return undefined;
  }
}

function onlySource(record: SubjectRecord, { errors }: Diagnostics): SubjectSource | undefined {
  const [source, ...others] = sourcesIn(record);
  for (const { field } of others) {
    errors.push({ field, message: `conflicts with ${source?.field}; exactly one subject value is allowed` });
  }
  if (!source) {
    const message = `is missing; expected one of ${subjectFieldNames.join(', ')}`;
    errors.push({ field: 'tls_client_auth_subject_dn', message });
  }
  return source;
}

function sourcesIn(record: SubjectRecord): SubjectSource[] {
  const inFields = subjectFieldNames.flatMap((field) => {
    const value = record[field];
    return value === undefined ? [] : [{ field, notAfter: undefined, parse: () => parsers[field](value) }];
  });
  const inSecrets = (record.client_secrets ?? []).flatMap(({ type, value, expiration }, index) => {
    if (type !== 'X509Name' && type !== 'X509CertificateName') return [];
    // IdentityServer compares with .NET's rendering, so the spelling is known.
    const parse = () => ({ kind: 'dn', name: parseDistinguishedName(value, 'dotnet') }) as const;
    return [{ field: `client_secrets[${index}].value`, notAfter: expiration, parse }];
  });
  return [...inFields, ...inSecrets];
}

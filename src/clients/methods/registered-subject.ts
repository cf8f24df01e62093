import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import type { MatchableName } from '../../pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../pki/certificate/names/parse.ts';
import { type AlternativeNameKind, normalizeAlternativeName } from '../../pki/certificate/subject-alternative-names.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { describedAs, shortText, text } from '../record-fields.ts';
import { parseSpiffePattern, type SpiffePattern } from '../spiffe-pattern.ts';
import { type FieldsOf, type RegisteredEntry, shortDescription } from './method.ts';
import { HAS_ENDED } from './registered-certificates.ts';

/** A subject value that a client of `tls_client_auth` is registered by (RFC 8705 §2.1.2). */
export type RegisteredSubject =
  | { readonly kind: 'dn'; readonly name: MatchableName }
  /** A name whose values the certificate has unchanged, in case and spaces as well. */
  | { readonly kind: 'verbatim_dn'; readonly name: MatchableName }
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

/** A subject value of a record, and the field that contains it. */
interface SubjectRegistration extends RegisteredEntry {
  readonly field: string;
  readonly subject: RegisteredSubject;
}

/** A place in the record that contains a subject value. */
interface SubjectSource extends Omit<SubjectRegistration, 'subject'> {
  readonly parse: () => RegisteredSubject;
}

/**
 * Parses the subject value of a record from its field, or any number of them from IdentityServer's secrets; reports what
 * is wrong.
 *
 * @param now milliseconds since the epoch
 */
export function parseRegisteredSubjects(
  record: SubjectRecord,
  diagnostics: Diagnostics,
  now: number,
): readonly SubjectRegistration[] {
  const { errors, warnings } = diagnostics;
  return findSources(record, diagnostics).flatMap(({ parse, ...source }) => {
    const { field, notAfter = Infinity } = source;
    if (notAfter < now) warnings.push({ field, message: HAS_ENDED });
    try {
      return [{ ...source, subject: parse() }];
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      errors.push({ field, message: error.message });
      return [];
    }
  });
}

/** RFC 8705 §2.1.2: a client has one subject value. Only the secrets may be several, as in IdentityServer. */
function findSources(record: SubjectRecord, { errors }: Diagnostics): readonly SubjectSource[] {
  const inFields = sourcesInFields(record);
  const all = [...inFields, ...sourcesInSecrets(record)];
  const [first, ...others] = all;
  if (!first) {
    const message = `is missing; expected one of ${subjectFieldNames.join(', ')}`;
    errors.push({ field: 'tls_client_auth_subject_dn', message });
  }
  if (inFields.length === 0) return all;
  for (const { field } of others) {
    errors.push({ field, message: `conflicts with ${first?.field}; exactly one subject value is allowed` });
  }
  return first ? [first] : [];
}

function sourcesInFields(record: SubjectRecord): SubjectSource[] {
  return subjectFieldNames.flatMap((field) => {
    const value = record[field];
    if (value === undefined) return [];
    return [{ field, notAfter: undefined, description: undefined, parse: () => parsers[field](value) }];
  });
}

function sourcesInSecrets({ client_secrets = [] }: SubjectRecord): SubjectSource[] {
  return client_secrets.flatMap(({ type, value, expiration: notAfter, description: text }, index) => {
    if (type !== 'X509Name' && type !== 'X509CertificateName') return [];
    // IdentityServer compares the text of .NET, so the notation is known, and a certificate with other values never matched.
    const parse = () => ({ kind: 'verbatim_dn', name: parseDistinguishedName(value, 'dotnet') }) as const;
    return [{ field: `client_secrets[${index}].value`, notAfter, description: shortDescription(text), parse }];
  });
}

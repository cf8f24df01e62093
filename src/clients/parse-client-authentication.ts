import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseDistinguishedName } from '../pki/certificate/names/parse.ts';
import { normalizeAlternativeName } from '../pki/certificate/subject-alternative-names.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { AuthenticationMethodName, ClientAuthentication, RegisteredSubject } from './client.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ClientRecord } from './record-schema.ts';
import { parseRegisteredCertificates } from './registered-certificates.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/**
 * Parses the authentication of a client from the fields of RFC 8705 §2 or from IdentityServer's secrets.
 *
 * @param diagnostics collects errors and warnings
 * @param now milliseconds since the epoch
 * @returns undefined if the record names no method, or no valid subject
 */
export function parseClientAuthentication(
  record: ClientRecord,
  policy: RegistrationPolicy,
  diagnostics: Diagnostics,
  now: number,
): ClientAuthentication | undefined {
  const method = record.token_endpoint_auth_method ?? methodOfSecrets(record, diagnostics);
  if (method === undefined) return undefined;
  rejectForeignFields(record, method, diagnostics);
  if (method === 'self_signed_tls_client_auth') {
    return { method, certificates: parseRegisteredCertificates(record, policy, diagnostics, now) };
  }
  const source = findSubjectSource(record, diagnostics);
  const subject = source && parseSubject(source, diagnostics);
  const caPins = parseCaPins(record, policy, diagnostics);
  return subject && { method, subject, caPins, notAfter: source.notAfter };
}

const methodOfSecretType = {
  X509Name: 'tls_client_auth',
  X509CertificateName: 'tls_client_auth',
  X509Thumbprint: 'self_signed_tls_client_auth',
  X509CertificateThumbprint: 'self_signed_tls_client_auth',
} as const satisfies Record<string, AuthenticationMethodName>;

/** IdentityServer tries every secret. We try only the registered method, so all secrets must be of that method. */
function methodOfSecrets(record: ClientRecord, { errors }: Diagnostics): AuthenticationMethodName | undefined {
  const [method, another] = new Set(record.client_secrets?.map(({ type }) => methodOfSecretType[type]));
  if (method === undefined) errors.push({ field: 'token_endpoint_auth_method', message: 'is missing' });
  if (another === undefined) return method;
  errors.push({
    field: 'client_secrets',
    message: 'mix names and thumbprints, but a client has one method: register two clients',
  });
  return undefined;
}

/** RFC 8705 §2.1.2. A client has exactly one of them. */
export const subjectFields = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const satisfies (keyof ClientRecord)[];

/** The fields that only clients of this method may have. */
export const methodFields = {
  tls_client_auth: [...subjectFields, 'tls_client_auth_ca'],
  self_signed_tls_client_auth: ['jwks', 'certificates'],
} as const satisfies Record<AuthenticationMethodName, readonly (keyof ClientRecord)[]>;

function rejectForeignFields(record: ClientRecord, method: AuthenticationMethodName, { errors }: Diagnostics): void {
  const message = `does not belong to ${method}; a client has one method`;
  for (const [other, fields] of Object.entries(methodFields)) {
    if (other === method) continue;
    for (const field of fields) if (record[field] !== undefined) errors.push({ field, message });
  }
  for (const [index, { type }] of (record.client_secrets ?? []).entries()) {
    if (methodOfSecretType[type] !== method) errors.push({ field: `client_secrets[${index}].type`, message });
  }
}

interface SubjectSource {
  readonly field: string;
  readonly notAfter: number | undefined;
  readonly parse: () => RegisteredSubject;
}

/** RFC 8705 §2.1.2: exactly one of the subject values. */
function findSubjectSource(record: ClientRecord, { errors }: Diagnostics): SubjectSource | undefined {
  const [source, ...others] = subjectSources(record);
  for (const { field } of others) {
    errors.push({ field, message: `conflicts with ${source?.field}; exactly one subject value is allowed` });
  }
  if (!source) {
    const message = `is missing; expected one of ${subjectFields.join(', ')}`;
    errors.push({ field: 'tls_client_auth_subject_dn', message });
  }
  return source;
}

function parseSubject({ field, parse: read }: SubjectSource, { errors }: Diagnostics): RegisteredSubject | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    errors.push({ field, message: error.message });
    return undefined;
  }
}

function subjectSources(record: ClientRecord): SubjectSource[] {
  const sources: SubjectSource[] = [];
  for (const field of subjectFields) {
    const text = record[field];
    if (text !== undefined) sources.push({ field, notAfter: undefined, parse: () => parseSubjectField(field, text) });
  }
  for (const [index, { type, value, expiration }] of (record.client_secrets ?? []).entries()) {
    if (methodOfSecretType[type] !== 'tls_client_auth') continue;
    // IdentityServer compares names as .NET renders them, so the direction of the name is known.
    const parse = () => ({ kind: 'dn', name: parseDistinguishedName(value, 'dotnet') }) as const;
    sources.push({ field: `client_secrets[${index}].value`, notAfter: expiration, parse });
  }
  return sources;
}

function parseSubjectField(field: (typeof subjectFields)[number], text: string): RegisteredSubject {
  if (field === 'tls_client_auth_subject_dn') return { kind: 'dn', name: parseDistinguishedName(text) };
  const kind = alternativeNameKinds[field];
  return { kind, name: normalizeAlternativeName(kind, text) };
}

const alternativeNameKinds = {
  tls_client_auth_san_dns: 'dns',
  tls_client_auth_san_uri: 'uri',
  tls_client_auth_san_ip: 'ip',
  tls_client_auth_san_email: 'email',
} as const;

const CA_FIELD = 'tls_client_auth_ca';

/**
 * Parses the CAs to which the certification path of a client is pinned. A pin is the thumbprint of a CA's public key,
 * never a name, because two CAs can have the same name.
 *
 * @returns base64url SHA-256; empty if the path may end in any trust anchor
 */
export function parseCaPins(
  record: ClientRecord,
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
): readonly string[] {
  const texts = record.tls_client_auth_ca;
  if (texts === undefined) {
    const message = caPinHint(policy);
    if (policy.requireCaPin)
      errors.push({ field: CA_FIELD, message: `is missing, and COUNTERSIGN_REQUIRE_CA_PIN is true${message}` });
    else if (policy.anchors.length > 1) warnings.push({ field: CA_FIELD, message: `is missing${message}` });
    return [];
  }
  return texts.flatMap((text, index) => {
    try {
      return parseSha256Thumbprint(text, '`countersign certificate CA.pem`');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      errors.push({ field: `${CA_FIELD}[${index}]`, message: error.message });
      return [];
    }
  });
}

/** The trust anchors that could issue a certificate for the client's name. */
function caPinHint({ anchors }: RegistrationPolicy): string {
  if (anchors.length === 0) return '';
  const names = anchors.map(({ subjectText, publicKeyThumbprint }) => `${publicKeyThumbprint} ("${subjectText}")`);
  if (names.length === 1) return `: add ${names[0]}`;
  return `: any of these CAs could issue a certificate for this client; add the key of the right one: ${names.join(', ')}`;
}

import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseDistinguishedName } from '../pki/certificate/names/parse.ts';
import { normalizeAlternativeName } from '../pki/certificate/subject-alternative-names.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { AuthenticationMethodName, ClientAuthentication, RegisteredSubject } from './client.ts';
import type { Diagnostics, RegistrationPolicy } from './diagnostics.ts';
import type { ClientRecord } from './record-schema.ts';
import { parseRegisteredCertificates } from './registered-certificates.ts';

/**
 * Reads how a client authenticates, from the fields of RFC 8705 §2 or from IdentityServer's secrets. What is wrong
 * goes to `findings`; the answer is undefined where no method can be read.
 */
export function parseClientAuthentication(
  record: ClientRecord,
  policy: RegistrationPolicy,
  findings: Diagnostics,
  now: number,
): ClientAuthentication | undefined {
  const method = record.token_endpoint_auth_method ?? methodOfSecrets(record, findings);
  if (method === undefined) return undefined;
  rejectForeignFields(record, method, findings);
  if (method === 'self_signed_tls_client_auth') {
    return { method, certificates: parseRegisteredCertificates(record, policy, findings, now) };
  }
  const source = oneSubjectSource(record, findings);
  const subject = source && parseSubject(source, findings);
  const authorities = parseCaPins(record, policy, findings);
  return subject && { method, subject, caPins: authorities, notAfter: source.notAfter };
}

const methodOfSecretType = {
  X509Name: 'tls_client_auth',
  X509CertificateName: 'tls_client_auth',
  X509Thumbprint: 'self_signed_tls_client_auth',
  X509CertificateThumbprint: 'self_signed_tls_client_auth',
} as const satisfies Record<string, AuthenticationMethodName>;

/** IdentityServer tries every secret; we try the one method that a client registered, so its secrets must agree. */
function methodOfSecrets(record: ClientRecord, { errors }: Diagnostics): AuthenticationMethodName | undefined {
  const [method, another] = new Set(record.client_secrets?.map(({ type }) => methodOfSecretType[type]));
  if (method === undefined) errors.push({ field: 'token_endpoint_auth_method', message: 'is missing' });
  if (another === undefined) return method;
  errors.push({
    field: 'client_secrets',
    message: 'hold names and thumbprints; a client has one method, so register two clients',
  });
  return undefined;
}

/** RFC 8705 §2.1.2, of which a client has one. */
export const subjectFields = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const satisfies (keyof ClientRecord)[];

/** What only clients of one method may have. */
export const fieldsOfMethod = {
  tls_client_auth: [...subjectFields, 'tls_client_auth_ca'],
  self_signed_tls_client_auth: ['jwks', 'certificates'],
} as const satisfies Record<AuthenticationMethodName, readonly (keyof ClientRecord)[]>;

function rejectForeignFields(record: ClientRecord, method: AuthenticationMethodName, { errors }: Diagnostics): void {
  const message = `does not belong to ${method}; a client has one method`;
  for (const [other, fields] of Object.entries(fieldsOfMethod)) {
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
  readonly read: () => RegisteredSubject;
}

/** RFC 8705 §2.1.2: exactly one of the subject values. */
function oneSubjectSource(record: ClientRecord, { errors }: Diagnostics): SubjectSource | undefined {
  const [source, ...others] = subjectSources(record);
  for (const { field } of others) {
    errors.push({ field, message: `stands beside ${source?.field}; exactly one subject value is allowed` });
  }
  if (!source) {
    const message = `is missing; expected one of ${subjectFields.join(', ')}`;
    errors.push({ field: 'tls_client_auth_subject_dn', message });
  }
  return source;
}

function parseSubject({ field, read }: SubjectSource, { errors }: Diagnostics): RegisteredSubject | undefined {
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
    if (text !== undefined) sources.push({ field, notAfter: undefined, read: () => subjectOfField(field, text) });
  }
  for (const [index, { type, value, expiration }] of (record.client_secrets ?? []).entries()) {
    if (methodOfSecretType[type] !== 'tls_client_auth') continue;
    // IdentityServer compares with .NET's rendering, so who wrote the name is known.
    const read = () => ({ kind: 'dn', name: parseDistinguishedName(value, 'dotnet') }) as const;
    sources.push({ field: `client_secrets[${index}].value`, notAfter: expiration, read });
  }
  return sources;
}

function subjectOfField(field: (typeof subjectFields)[number], text: string): RegisteredSubject {
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

const FIELD = 'tls_client_auth_ca';

/**
 * Reads through which CAs the path of a client's certificate must go: thumbprints of their public keys, never names,
 * since a second CA of the same name is somebody else. What is wrong goes to `findings`.
 *
 * @returns base64url; none where any anchor will do
 */
export function parseCaPins(
  record: ClientRecord,
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
): readonly string[] {
  const texts = record.tls_client_auth_ca;
  if (texts === undefined) {
    const message = missing(policy);
    if (policy.requireCaPin)
      errors.push({ field: FIELD, message: `is missing, and COUNTERSIGN_REQUIRE_CA_PIN is true${message}` });
    else if (policy.anchors.length > 1) warnings.push({ field: FIELD, message: `is missing${message}` });
    return [];
  }
  return texts.flatMap((text, index) => {
    try {
      return parseSha256Thumbprint(text, '`countersign certificate CA.pem`');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      errors.push({ field: `${FIELD}[${index}]`, message: error.message });
      return [];
    }
  });
}

/** Who could vouch for the client's name. */
function missing({ anchors }: RegistrationPolicy): string {
  if (anchors.length === 0) return '';
  const names = anchors.map(({ subjectText, publicKeyThumbprint }) => `${publicKeyThumbprint} ("${subjectText}")`);
  if (names.length === 1) return `: write ${names[0]}`;
  return `: each of these CAs could vouch for this client; write the key of the one that does: ${names.join(', ')}`;
}

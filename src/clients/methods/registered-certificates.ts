import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../../pki/certificate/pem.ts';
import { parseSha256Thumbprint, parseThumbprint, type RegisteredThumbprint } from '../../pki/certificate/thumbprint.ts';
import type { Diagnostic, Diagnostics } from '../diagnostics.ts';
import { type ContainedCertificate, identitiesOfCertificate, identityKey } from '../identities.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { certificateFields, JsonWebKey } from './certificate-fields.ts';
import { type FieldsOf, type RegisteredEntry, shortDescription } from './method.ts';

/** One certificate of a client of `self_signed_tls_client_auth` (RFC 8705 §2.2): this very one, or any with this key. */
export type RegisteredCertificate = RegisteredEntry & CertificateMatch;

type CertificateMatch =
  | {
      readonly by: 'thumbprint';
      readonly thumbprint: RegisteredThumbprint;
      /** Undefined if the record contains only its thumbprint. */
      readonly contained: ContainedCertificate | undefined;
    }
  | { readonly by: 'public_key'; readonly publicKeyThumbprint: string };

type CertificatesRecord = FieldsOf<typeof certificateFields>;

/** A place in the record that registers a certificate. */
interface Entry extends RegisteredEntry {
  readonly field: string;
  readonly parse: () => CertificateMatch;
}

/**
 * Parses the certificates of `certificates`, `jwks` and IdentityServer's thumbprint secrets; all of them are effective.
 * Reports what is wrong; a SHA-1 thumbprint is an error, or a warning if the operator allows it.
 */
export function parseRegisteredCertificates(
  record: CertificatesRecord,
  policy: RegistrationPolicy,
  diagnostics: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  const entries = [...entriesOfCertificates(record), ...entriesOfKeys(record), ...entriesOfSecrets(record)];
  if (entries.length === 0) {
    diagnostics.errors.push({ field: 'certificates', message: 'is missing; expected certificates or jwks' });
  }
  return entries.flatMap((entry) => parseEntry(entry, policy, diagnostics, now));
}

function parseEntry(
  { field, notBefore, notAfter, description, parse }: Entry,
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  try {
    const match = parse();
    if (match.by === 'thumbprint' && match.thumbprint.algorithm === 'sha1')
      (policy.allowSha1Thumbprints ? warnings : errors).push(sha1Diagnostic(field));
    // A registration that has not started is not worth a warning: that is how the next certificate is registered ahead.
    if (notAfter !== undefined && notAfter < now) warnings.push({ field, message: HAS_ENDED });
    return [{ ...match, notBefore, notAfter, description }];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    errors.push({ field, message: error.message });
    return [];
  }
}

export const HAS_ENDED = 'has ended: its not_after, or expiration, is past';

/** The same words for an error and a warning: the records that `clients import` writes are checked elsewhere. */
function sha1Diagnostic(field: string): Diagnostic {
  const message =
    'is a SHA-1 thumbprint: register the SHA-256 thumbprint instead (`countersign certificate FILE` prints it). During ' +
    'a migration, set COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS=true, which accepts it with a warning';
  return { field, message };
}

function entriesOfCertificates({ certificates = [] }: CertificatesRecord): Entry[] {
  return certificates.map(({ thumbprint, pem, public_key_thumbprint: key = '', note, ...period }, index) => {
    const entry = (name: string, parse: Entry['parse']) => ({
      field: `certificates[${index}].${name}`,
      notBefore: period.not_before,
      notAfter: period.not_after,
      description: shortDescription(note),
      parse,
    });
    if (thumbprint !== undefined) return entry('thumbprint', () => byThumbprint(parseThumbprint(thumbprint)));
    if (pem !== undefined) return entry('pem', () => byCertificate(certificateOfPem(pem)));
    return entry('public_key_thumbprint', () => ({
      by: 'public_key',
      publicKeyThumbprint: parseSha256Thumbprint(key, '`countersign certificate`'),
    }));
  });
}

function entriesOfKeys({ jwks }: CertificatesRecord): Entry[] {
  return (jwks?.keys ?? []).map((key, index) => ({
    field: `jwks.keys[${index}]`,
    notAfter: undefined,
    description: undefined,
    parse: () => matchOfKey(key),
  }));
}

function entriesOfSecrets({ client_secrets = [] }: CertificatesRecord): Entry[] {
  return client_secrets.flatMap(({ type, value, expiration: notAfter, description: text }, index) => {
    if (type === 'X509Name' || type === 'X509CertificateName') return [];
    const parse = () => byThumbprint(parseThumbprint(value));
    return [{ field: `client_secrets[${index}].value`, notAfter, description: shortDescription(text), parse }];
  });
}

function byThumbprint(thumbprint: RegisteredThumbprint): CertificateMatch {
  return { by: 'thumbprint', thumbprint, contained: undefined };
}

function byCertificate(certificate: ClientCertificate): CertificateMatch {
  const thumbprint = { algorithm: 'sha256', value: certificate.thumbprint } as const;
  const keys = identitiesOfCertificate(certificate).map(identityKey);
  return { by: 'thumbprint', thumbprint, contained: { keys, subjectText: certificate.subjectText } };
}

function certificateOfPem(pem: string): ClientCertificate {
  const { certificates, unread } = parseCertificateFile(Buffer.from(pem));
  const [der, ...others] = certificates;
  if (others.length > 0) throw new CertificateError('contains more than one certificate; register each as an entry');
  if (unread.length > 0) throw new CertificateError(unread.join('; '));
  return parseClientCertificate(der);
}

/** RFC 7517 §4.7: the first of `x5c`, in plain base64, is the key's own certificate; the others never identify a client. */
function matchOfKey(key: JsonWebKey): CertificateMatch {
  const stated = key['x5t#S256'] === undefined ? undefined : parseThumbprint(key['x5t#S256']);
  if (stated?.algorithm === 'sha1') throw new CertificateError('x5t#S256 is not a SHA-256 thumbprint');
  const [leaf] = key.x5c ?? [];
  if (leaf === undefined) {
    if (stated) return byThumbprint(stated);
    throw new CertificateError('has neither x5c nor x5t#S256, so it registers no certificate');
  }
  const der = Buffer.from(leaf, 'base64');
  if (der.toString('base64') !== leaf.replace(/\s/g, '')) throw new CertificateError('x5c is not base64');
  const certificate = parseClientCertificate(der);
  if (stated && stated.value !== certificate.thumbprint)
    throw new CertificateError('x5t#S256 is not the thumbprint of x5c');
  return byCertificate(certificate);
}

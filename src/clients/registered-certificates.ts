import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { parsePemCertificates } from '../pki/certificate/pem.ts';
import { parseSha256Thumbprint, parseThumbprint, type RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { RegisteredCertificate } from './client.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ClientRecord } from './record-schema.ts';
import { identitiesOfCertificate, identityKey } from './registered-identities.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/** A field of a record that registers a certificate, and how to parse it. */
interface Entry {
  readonly field: string;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
  readonly parse: () => Registration;
}

/** A registered certificate or key, without its validity period. */
type Registration = WithoutPeriod<RegisteredCertificate>;
type WithoutPeriod<Each> = Each extends unknown ? Omit<Each, 'notBefore' | 'notAfter'> : never;

/**
 * Parses all registered certificates: `certificates`, `jwks`, and IdentityServer's thumbprint secrets.
 *
 * @param diagnostics collects errors and warnings; a SHA-1 thumbprint is a warning if the policy allows it
 * @param now milliseconds since the epoch
 */
export function parseRegisteredCertificates(
  record: ClientRecord,
  policy: RegistrationPolicy,
  diagnostics: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  const entries = [...entriesOfCertificates(record), ...entriesOfJwks(record), ...entriesOfSecrets(record)];
  if (entries.length === 0) {
    diagnostics.errors.push({ field: 'certificates', message: 'is missing; expected certificates or jwks' });
  }
  return entries.flatMap((entry) => parseEntry(entry, policy, diagnostics, now));
}

function parseEntry(
  { field, notBefore, notAfter, parse }: Entry,
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  try {
    const registered = parse();
    if (registered.by === 'thumbprint' && registered.thumbprint.algorithm === 'sha1')
      (policy.allowSha1Thumbprints ? warnings : errors).push(sha1Diagnostic(field, policy));
    // A future not_before is not a warning: it registers the next certificate ahead of a renewal.
    if (notAfter !== undefined && notAfter < now) warnings.push({ field, message: 'has ended: its not_after is past' });
    return [{ ...registered, notBefore, notAfter }];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    errors.push({ field, message: error.message });
    return [];
  }
}

function sha1Diagnostic(field: string, { allowSha1Thumbprints }: RegistrationPolicy) {
  const fix = 'register the SHA-256 thumbprint instead (`countersign certificate FILE` prints it)';
  const allow = 'or set COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS=true during the migration';
  return { field, message: `is a SHA-1 thumbprint: ${fix}${allowSha1Thumbprints ? '' : `, ${allow}`}` };
}

function entriesOfCertificates({ certificates = [] }: ClientRecord): Entry[] {
  return certificates.map(({ thumbprint, pem, public_key_thumbprint: key = '', ...period }, index) => {
    const entry = (name: string, parse: Entry['parse']) => ({
      field: `certificates[${index}].${name}`,
      notBefore: period.not_before,
      notAfter: period.not_after,
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

function entriesOfJwks({ jwks }: ClientRecord): Entry[] {
  return (jwks?.keys ?? []).map((key, index) => ({
    field: `jwks.keys[${index}]`,
    notBefore: undefined,
    notAfter: undefined,
    parse: () => parseJsonWebKey(key),
  }));
}

function entriesOfSecrets({ client_secrets = [] }: ClientRecord): Entry[] {
  return client_secrets.flatMap(({ type, value, expiration }, index) =>
    type === 'X509Name' || type === 'X509CertificateName'
      ? []
      : [
          {
            field: `client_secrets[${index}].value`,
            notBefore: undefined,
            notAfter: expiration,
            parse: () => byThumbprint(parseThumbprint(value)),
          },
        ],
  );
}

function byThumbprint(thumbprint: RegisteredThumbprint): Registration {
  return { by: 'thumbprint', thumbprint, certificateKeys: [] };
}

function byCertificate(certificate: ClientCertificate): Registration {
  const thumbprint = { algorithm: 'sha256', value: certificate.thumbprint } as const;
  return { by: 'thumbprint', thumbprint, certificateKeys: identitiesOfCertificate(certificate).map(identityKey) };
}

function certificateOfPem(pem: string): ClientCertificate {
  const [der, ...others] = parsePemCertificates(pem);
  if (!der) throw new CertificateError('expected a PEM certificate (-----BEGIN CERTIFICATE-----)');
  if (others.length > 0)
    throw new CertificateError('contains more than one certificate; register each in an entry of its own');
  return parseClientCertificate(der);
}

type JsonWebKey = NonNullable<ClientRecord['jwks']>['keys'][number];

/** RFC 7517 §4.7: the first of `x5c` is the certificate of the key, in plain base64. The others never identify a client. */
function parseJsonWebKey(key: JsonWebKey): Registration {
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

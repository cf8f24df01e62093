import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { readPemFile } from '../pki/certificate/pem.ts';
import { parseSha256Thumbprint, parseThumbprint, type RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { RegisteredCertificate } from './client.ts';
import type { Diagnostics, RegistrationPolicy } from './diagnostics.ts';
import type { ClientRecord } from './record-schema.ts';
import { identitiesOfCertificate, identityKey } from './registered-identities.ts';

/** One place in a record where a certificate is registered, and how to read it. */
interface Entry {
  readonly field: string;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
  readonly read: () => Registered;
}

/** What is registered there, whenever it counts. */
type Registered = Distributed<RegisteredCertificate>;
type Distributed<Each> = Each extends unknown ? Omit<Each, 'notBefore' | 'notAfter'> : never;

/**
 * Reads the certificates of `certificates`, `jwks` and IdentityServer's thumbprint secrets, all of which count.
 * What is wrong goes to `findings`, with SHA-1 as a error or, where the operator allows it, a warning.
 */
export function parseRegisteredCertificates(
  record: ClientRecord,
  policy: RegistrationPolicy,
  findings: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  const entries = [...entriesOfCertificates(record), ...entriesOfKeys(record), ...entriesOfSecrets(record)];
  if (entries.length === 0) {
    findings.errors.push({ field: 'certificates', message: 'is missing; expected certificates or jwks' });
  }
  return entries.flatMap((entry) => readEntry(entry, policy, findings, now));
}

function readEntry(
  { field, notBefore, notAfter, read }: Entry,
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
  now: number,
): RegisteredCertificate[] {
  try {
    const registered = read();
    if (registered.by === 'thumbprint' && registered.thumbprint.algorithm === 'sha1')
      (policy.allowSha1Thumbprints ? warnings : errors).push(sha1Finding(field, policy));
    // One that has not begun is no warning: that is how the next certificate is registered ahead of a renewal.
    if (notAfter !== undefined && notAfter < now) warnings.push({ field, message: 'has ended: its not_after is past' });
    return [{ ...registered, notBefore, notAfter }];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    errors.push({ field, message: error.message });
    return [];
  }
}

function sha1Finding(field: string, { allowSha1Thumbprints }: RegistrationPolicy) {
  const mend = 'register the SHA-256 thumbprint instead (`countersign certificate FILE` prints it)';
  const allow = 'or set COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS=true while you move';
  return { field, message: `is a SHA-1 thumbprint: ${mend}${allowSha1Thumbprints ? '' : `, ${allow}`}` };
}

function entriesOfCertificates({ certificates = [] }: ClientRecord): Entry[] {
  return certificates.map(({ thumbprint, pem, public_key_thumbprint: key = '', ...period }, index) => {
    const entry = (name: string, read: Entry['read']) => ({
      field: `certificates[${index}].${name}`,
      notBefore: period.not_before,
      notAfter: period.not_after,
      read,
    });
    if (thumbprint !== undefined) return entry('thumbprint', () => byThumbprint(parseThumbprint(thumbprint)));
    if (pem !== undefined) return entry('pem', () => byCertificate(certificateOfPem(pem)));
    return entry('public_key_thumbprint', () => ({
      by: 'public_key',
      publicKeyThumbprint: parseSha256Thumbprint(key, '`countersign certificate`'),
    }));
  });
}

function entriesOfKeys({ jwks }: ClientRecord): Entry[] {
  return (jwks?.keys ?? []).map((key, index) => ({
    field: `jwks.keys[${index}]`,
    notBefore: undefined,
    notAfter: undefined,
    read: () => registeredKey(key),
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
            read: () => byThumbprint(parseThumbprint(value)),
          },
        ],
  );
}

function byThumbprint(thumbprint: RegisteredThumbprint): Registered {
  return { by: 'thumbprint', thumbprint, certificateKeys: [] };
}

function byCertificate(certificate: ClientCertificate): Registered {
  const thumbprint = { algorithm: 'sha256', value: certificate.thumbprint } as const;
  return { by: 'thumbprint', thumbprint, certificateKeys: identitiesOfCertificate(certificate).map(identityKey) };
}

function certificateOfPem(pem: string): ClientCertificate {
  const [der, ...others] = readPemFile(pem);
  if (!der) throw new CertificateError('expected a PEM certificate (-----BEGIN CERTIFICATE-----)');
  if (others.length > 0) throw new CertificateError('holds more than one certificate; register each as an entry');
  return parseClientCertificate(der);
}

type JsonWebKey = NonNullable<ClientRecord['jwks']>['keys'][number];

/** RFC 7517 §4.7: the first of `x5c` is the key's own certificate, in plain base64; the others never identify anybody. */
function registeredKey(key: JsonWebKey): Registered {
  const stated = key['x5t#S256'] === undefined ? undefined : parseThumbprint(key['x5t#S256']);
  if (stated?.algorithm === 'sha1') throw new CertificateError('x5t#S256 is not a SHA-256 thumbprint');
  const [leaf] = key.x5c ?? [];
  if (leaf === undefined) {
    if (stated) return byThumbprint(stated);
    throw new CertificateError('has neither x5c nor x5t#S256, so no certificate is registered by it');
  }
  const der = Buffer.from(leaf, 'base64');
  if (der.toString('base64') !== leaf.replace(/\s/g, '')) throw new CertificateError('x5c is not base64');
  const certificate = parseClientCertificate(der);
  if (stated && stated.value !== certificate.thumbprint)
    throw new CertificateError('x5t#S256 is not the thumbprint of x5c');
  return byCertificate(certificate);
}

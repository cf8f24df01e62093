import { createHash } from 'node:crypto';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { Client, RegisteredCertificate, RegisteredSubject } from './client.ts';

/**
 * One thing by which a certificate is known: itself, its key, its subject or one of its alternative names. `value` is
 * the same text for everything that is compared as equal: a thumbprint as it is (`sha1:` before one of SHA-1), or a
 * name in its canonical form.
 */
export interface Identity {
  readonly kind: 'thumbprint' | 'public_key' | 'dn' | AlternativeNameKind;
  readonly value: string;
}

/** What a client is registered by. Each certificate with one of these may be this client's; its record decides. */
export function identitiesOf({ authentication }: Pick<Client, 'authentication'>): readonly Identity[] {
  if (authentication.method === 'tls_client_auth') return [identityOfSubject(authentication.subject)];
  const byKey = new Map(
    authentication.certificates.map(identityOfRegistration).map((each) => [identityKey(each), each]),
  );
  return [...byKey.values()];
}

/** Everything that a client could be registered by to which this certificate belongs. */
export function identitiesOfCertificate(certificate: ClientCertificate): readonly Identity[] {
  const { subject, alternativeNames: names } = certificate;
  const kinds = ['dns', 'uri', 'ip', 'email'] as const;
  return [
    identityOfThumbprint({ algorithm: 'sha256', value: certificate.thumbprint }),
    identityOfThumbprint({ algorithm: 'sha1', value: certificate.sha1Thumbprint }),
    { kind: 'public_key', value: certificate.publicKeyThumbprint },
    ...(subject.canonical === undefined ? [] : [{ kind: 'dn', value: subject.canonical } as const]),
    ...kinds.flatMap((kind) => [...new Set(names[kind])].map((value) => ({ kind, value }))),
  ];
}

/**
 * The end of the Redis key of an identity: `{kind}:{thumbprint}`, or for a name `{kind}:{base64url of its SHA-256}`.
 * A later runtime may write the canonical form of a name with new characters another way; `clients apply` then adds
 * the entry that is missing.
 */
export function identityKey({ kind, value }: Identity): string {
  if (kind === 'thumbprint' || kind === 'public_key') return `${kind}:${value}`;
  return `${kind}:${createHash('sha256').update(value).digest('base64url')}`;
}

export function identityOfSubject(subject: RegisteredSubject): Identity {
  return { kind: subject.kind, value: subject.kind === 'dn' ? subject.name.canonical : subject.name };
}

export function identityOfRegistration(registered: RegisteredCertificate): Identity {
  if (registered.by === 'thumbprint') return identityOfThumbprint(registered.thumbprint);
  return { kind: 'public_key', value: registered.publicKeyThumbprint };
}

function identityOfThumbprint({ algorithm, value }: RegisteredThumbprint): Identity {
  return { kind: 'thumbprint', value: algorithm === 'sha256' ? value : `sha1:${value}` };
}

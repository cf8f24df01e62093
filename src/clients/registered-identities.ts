import { createHash } from 'node:crypto';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { Client, ClientAuthentication, RegisteredCertificate, RegisteredSubject } from './client.ts';
import type { RegistrationPolicy } from './diagnostics.ts';

/** An identity that a client is registered by, and when that counts. */
export interface RegisteredIdentity extends ValidityPeriod {
  readonly key: string;
  readonly identity: Identity;
  /** Keys of all by which the certificate is known, where the record holds it. */
  readonly certificateKeys: readonly string[];
}

/** Milliseconds since the epoch, both inclusive. */
interface ValidityPeriod {
  readonly notBefore?: number | undefined;
  readonly notAfter: number | undefined;
}

/** Every registration of a client, of which several may be of one identity. */
export function registeredIdentitiesOf({ authentication }: Client): readonly RegisteredIdentity[] {
  if (authentication.method === 'self_signed_tls_client_auth')
    return authentication.certificates.map(registeredIdentityOf);
  const identity = identityOfSubject(authentication.subject);
  return [{ key: identityKey(identity), identity, certificateKeys: [], notAfter: authentication.notAfter }];
}

function registeredIdentityOf(registered: RegisteredCertificate): RegisteredIdentity {
  const { notBefore, notAfter } = registered;
  const identity = identityOfRegistration(registered);
  const certificateKeys = registered.by === 'thumbprint' ? registered.certificateKeys : [];
  return { key: identityKey(identity), identity, certificateKeys: certificateKeys, notBefore, notAfter };
}

/** The keys of what a client is registered by. */
export function registeredKeys(client: Client): readonly string[] {
  return [...new Set(registeredIdentitiesOf(client).map(({ key }) => key))];
}

/** The keys of everything else by which the certificates are known that a record holds: others may claim them by it. */
export function unregisteredCertificateKeys(client: Client): readonly string[] {
  const claims = registeredIdentitiesOf(client);
  const keys = new Set(claims.flatMap(({ certificateKeys }) => certificateKeys));
  for (const { key } of claims) keys.delete(key);
  return [...keys];
}

/** Whether a registration counts, at `now` in milliseconds since the epoch. */
export function isEffective({ notBefore = -Infinity, notAfter = Infinity }: ValidityPeriod, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}

/**
 * Whether one certificate could, now or later, be taken for either of two clients.
 *
 * They must share an identity, or one is registered by what a certificate of the other is known by. Two clients of
 * `tls_client_auth` do not meet where they are pinned to different anchors; two registrations do not meet where one
 * ends before the other begins, or has ended.
 *
 * @param now milliseconds since the epoch
 * @returns an identity that both claim
 */
export function sharedIdentity(
  one: Client,
  other: Client,
  { anchors }: Pick<RegistrationPolicy, 'anchors'>,
  now: number,
): Identity | undefined {
  const roots = new Set(anchors.map(({ publicKeyThumbprint }) => publicKeyThumbprint));
  if (haveDisjointPins(one.authentication, other.authentication, roots)) return undefined;
  const lasting = (client: Client) =>
    registeredIdentitiesOf(client).filter(({ notAfter = Infinity }) => now <= notAfter);
  return commonIdentity(lasting(one), lasting(other)) ?? commonIdentity(lasting(other), lasting(one));
}

/** One of the identities of `claims` by which a certificate of the others is known, at a time at which both count. */
function commonIdentity(
  claims: readonly RegisteredIdentity[],
  others: readonly RegisteredIdentity[],
): Identity | undefined {
  const known = Map.groupBy(
    others.flatMap((claim) => [claim.key, ...claim.certificateKeys].map((key) => ({ key, claim }))),
    ({ key }) => key,
  );
  const meets = (claim: RegisteredIdentity) => known.get(claim.key)?.some((other) => overlap(claim, other.claim));
  return claims.find(meets)?.identity;
}

/**
 * A path goes through several CAs, and two of its keys would both be found on it. Of anchors it has one, its end, so
 * that only pins to nothing but anchors tell two clients apart.
 */
function haveDisjointPins(one: ClientAuthentication, other: ClientAuthentication, roots: ReadonlySet<string>): boolean {
  if (one.method !== 'tls_client_auth' || other.method !== 'tls_client_auth') return false;
  if (one.caPins.length === 0 || other.caPins.length === 0) return false;
  if (![...one.caPins, ...other.caPins].every((authority) => roots.has(authority))) return false;
  return !one.caPins.some((authority) => other.caPins.includes(authority));
}

/** Both ends belong to a registration. */
function overlap(one: ValidityPeriod, other: ValidityPeriod): boolean {
  const beginsInTime = (a: ValidityPeriod, b: ValidityPeriod) => (a.notBefore ?? -Infinity) <= (b.notAfter ?? Infinity);
  return beginsInTime(one, other) && beginsInTime(other, one);
}

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

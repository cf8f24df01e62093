import { createHash } from 'node:crypto';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { Client, ClientAuthentication, RegisteredCertificate, RegisteredSubject } from './client.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

/** An identity by which a client is registered, and the period in which the registration is effective. */
export interface RegisteredIdentity extends ValidityPeriod {
  readonly key: string;
  readonly identity: Identity;
  /** Keys of all identities of the certificate; empty unless the record contains the certificate itself. */
  readonly certificateKeys: readonly string[];
}

/** Milliseconds since the epoch, both inclusive. */
interface ValidityPeriod {
  readonly notBefore?: number | undefined;
  readonly notAfter: number | undefined;
}

/** All registrations of a client. Several may be for the same identity. */
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
  return { key: identityKey(identity), identity, certificateKeys, notBefore, notAfter };
}

/** The keys of the identities by which a client is registered. */
export function registeredKeys(client: Client): readonly string[] {
  return [...new Set(registeredIdentitiesOf(client).map(({ key }) => key))];
}

/**
 * The keys of the other identities of the certificates that a record contains. Another client may be registered by one
 * of them.
 */
export function unregisteredCertificateKeys(client: Client): readonly string[] {
  const registered = registeredIdentitiesOf(client);
  const keys = new Set(registered.flatMap(({ certificateKeys }) => certificateKeys));
  for (const { key } of registered) keys.delete(key);
  return [...keys];
}

/** @param now milliseconds since the epoch */
export function isEffective({ notBefore = -Infinity, notAfter = Infinity }: ValidityPeriod, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}

/**
 * Finds an identity by which one certificate could match two clients, now or later.
 *
 * Either both clients register the identity, or one registers it and the other registers a certificate that has it. Two
 * clients of `tls_client_auth` never share one if they are pinned to different trust anchors. Two registrations never
 * share one if their periods do not overlap, or if one has ended.
 *
 * @param now milliseconds since the epoch
 */
export function sharedIdentity(
  one: Client,
  other: Client,
  { anchors }: Pick<RegistrationPolicy, 'anchors'>,
  now: number,
): Identity | undefined {
  const anchorKeys = new Set(anchors.map(({ publicKeyThumbprint }) => publicKeyThumbprint));
  if (havePinsToDifferentAnchors(one.authentication, other.authentication, anchorKeys)) return undefined;
  const notEnded = (client: Client) =>
    registeredIdentitiesOf(client).filter(({ notAfter = Infinity }) => now <= notAfter);
  return commonIdentity(notEnded(one), notEnded(other)) ?? commonIdentity(notEnded(other), notEnded(one));
}

/** An identity of `registered` that a registration of `others` has as well, in overlapping periods. */
function commonIdentity(
  registered: readonly RegisteredIdentity[],
  others: readonly RegisteredIdentity[],
): Identity | undefined {
  const othersByKey = Map.groupBy(
    others.flatMap((other) => [other.key, ...other.certificateKeys].map((key) => ({ key, other }))),
    ({ key }) => key,
  );
  const isShared = (one: RegisteredIdentity) => othersByKey.get(one.key)?.some(({ other }) => overlap(one, other));
  return registered.find(isShared)?.identity;
}

/**
 * Pins distinguish two clients only if all of them are to trust anchors. A path ends in one anchor, but it may contain
 * several other CAs, each of which another client may be pinned to.
 */
function havePinsToDifferentAnchors(
  one: ClientAuthentication,
  other: ClientAuthentication,
  anchorKeys: ReadonlySet<string>,
): boolean {
  if (one.method !== 'tls_client_auth' || other.method !== 'tls_client_auth') return false;
  if (one.caPins.length === 0 || other.caPins.length === 0) return false;
  if (![...one.caPins, ...other.caPins].every((pin) => anchorKeys.has(pin))) return false;
  return !one.caPins.some((pin) => other.caPins.includes(pin));
}

/** Periods include both of their ends. */
function overlap(one: ValidityPeriod, other: ValidityPeriod): boolean {
  const startsBeforeEnd = (a: ValidityPeriod, b: ValidityPeriod) =>
    (a.notBefore ?? -Infinity) <= (b.notAfter ?? Infinity);
  return startsBeforeEnd(one, other) && startsBeforeEnd(other, one);
}

/**
 * An identity of a certificate: its thumbprint, its public key, its subject, or one of its alternative names. Identities
 * that compare as equal have the same `value`: the thumbprint (prefixed with `sha1:` for SHA-1), or the canonical name.
 */
export interface Identity {
  readonly kind: 'thumbprint' | 'public_key' | 'dn' | AlternativeNameKind;
  readonly value: string;
}

/** The identities by which a client is registered. A certificate with one of them is a candidate; the record decides. */
export function identitiesOf({ authentication }: Pick<Client, 'authentication'>): readonly Identity[] {
  if (authentication.method === 'tls_client_auth') return [identityOfSubject(authentication.subject)];
  const byKey = new Map(
    authentication.certificates.map(identityOfRegistration).map((each) => [identityKey(each), each]),
  );
  return [...byKey.values()];
}

/** All identities by which a client with this certificate could be registered. */
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
 * The suffix of the Redis key of an identity: `{kind}:{thumbprint}`, or `{kind}:{base64url SHA-256}` for a name. A later
 * runtime may canonicalize new characters of a name differently. `clients apply` then adds the missing index entry.
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

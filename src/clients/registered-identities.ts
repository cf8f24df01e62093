import { createHash } from 'node:crypto';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import type { Client, ClientAuthentication, RegisteredCertificate, RegisteredSubject } from './client.ts';
import type { RegistrationPolicy } from './diagnostics.ts';

/** An identity that a client is registered by, and when that counts. */
export interface Claim extends Window {
  readonly key: string;
  readonly identity: Identity;
  /** Keys of all by which the certificate is known, where the record holds it. */
  readonly knownBy: readonly string[];
}

/** Milliseconds since the epoch, both inclusive. */
interface Window {
  readonly notBefore?: number | undefined;
  readonly notAfter: number | undefined;
}

/** Every registration of a client, of which several may be of one identity. */
export function claimsOf({ authentication }: Client): readonly Claim[] {
  if (authentication.method === 'self_signed_tls_client_auth') return authentication.certificates.map(claimOf);
  const identity = identityOfSubject(authentication.subject);
  return [{ key: identityKey(identity), identity, knownBy: [], notAfter: authentication.notAfter }];
}

function claimOf(registered: RegisteredCertificate): Claim {
  const { notBefore, notAfter } = registered;
  const identity = identityOfRegistration(registered);
  const knownBy = registered.by === 'thumbprint' ? registered.knownBy : [];
  return { key: identityKey(identity), identity, knownBy, notBefore, notAfter };
}

/** The keys of what a client is registered by. */
export function keysOfClaims(client: Client): readonly string[] {
  return [...new Set(claimsOf(client).map(({ key }) => key))];
}

/** The keys of everything else by which the certificates are known that a record holds: others may claim them by it. */
export function keysOfHeldCertificates(client: Client): readonly string[] {
  const claims = claimsOf(client);
  const keys = new Set(claims.flatMap(({ knownBy }) => knownBy));
  for (const { key } of claims) keys.delete(key);
  return [...keys];
}

/** Whether a registration counts, at `now` in milliseconds since the epoch. */
export function isInForce({ notBefore = -Infinity, notAfter = Infinity }: Window, now: number): boolean {
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
export function claimedByBoth(
  one: Client,
  other: Client,
  { anchors }: Pick<RegistrationPolicy, 'anchors'>,
  now: number,
): Identity | undefined {
  const roots = new Set(anchors.map(({ publicKeyThumbprint }) => publicKeyThumbprint));
  if (arePinnedApart(one.authentication, other.authentication, roots)) return undefined;
  const lasting = (client: Client) => claimsOf(client).filter(({ notAfter = Infinity }) => now <= notAfter);
  return sharedIdentity(lasting(one), lasting(other)) ?? sharedIdentity(lasting(other), lasting(one));
}

/** One of the identities of `claims` by which a certificate of the others is known, at a time at which both count. */
function sharedIdentity(claims: readonly Claim[], others: readonly Claim[]): Identity | undefined {
  const known = Map.groupBy(
    others.flatMap((claim) => [claim.key, ...claim.knownBy].map((key) => ({ key, claim }))),
    ({ key }) => key,
  );
  const meets = (claim: Claim) => known.get(claim.key)?.some((other) => overlap(claim, other.claim));
  return claims.find(meets)?.identity;
}

/**
 * A path goes through several CAs, and two of its keys would both be found on it. Of anchors it has one, its end, so
 * that only pins to nothing but anchors tell two clients apart.
 */
function arePinnedApart(one: ClientAuthentication, other: ClientAuthentication, roots: ReadonlySet<string>): boolean {
  if (one.method !== 'tls_client_auth' || other.method !== 'tls_client_auth') return false;
  if (one.authorities.length === 0 || other.authorities.length === 0) return false;
  if (![...one.authorities, ...other.authorities].every((authority) => roots.has(authority))) return false;
  return !one.authorities.some((authority) => other.authorities.includes(authority));
}

/** Both ends belong to a registration. */
function overlap(one: Window, other: Window): boolean {
  const beginsInTime = (a: Window, b: Window) => (a.notBefore ?? -Infinity) <= (b.notAfter ?? Infinity);
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

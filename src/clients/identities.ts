import { createHash } from 'node:crypto';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import { formatDistinguishedName, type MatchableName } from '../pki/certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import type { RegisteredThumbprint } from '../pki/certificate/thumbprint.ts';
import { isExact, patternsOf, type SpiffePattern } from './spiffe-pattern.ts';

/**
 * One value that identifies a certificate: its thumbprint, the thumbprint of its key, its subject DN, one of its SANs, or
 * a pattern that its SPIFFE ID matches. Equal identities have the same `kind` and `value`.
 */
export interface Identity {
  readonly kind: 'thumbprint' | 'public_key' | 'dn' | AlternativeNameKind | 'spiffe_pattern';
  /** A thumbprint in base64url (`sha1:` precedes one of SHA-1), a name in its canonical form, or a pattern. */
  readonly value: string;
  /** For the operator, such as `subject CN=client,O=company`. */
  readonly text: string;
  /** The name, if only a certificate with the same characters in it has this identity. */
  readonly verbatim?: MatchableName;
}

/** Milliseconds since the epoch, both inclusive. */
export interface ValidityPeriod {
  readonly notBefore?: number | undefined;
  readonly notAfter: number | undefined;
}

/** A certificate that is in a client's record. */
export interface ContainedCertificate {
  /** The keys of every identity of it. */
  readonly keys: readonly string[];
  /** RFC 4514, with its own characters. */
  readonly subjectText: string;
}

/** An identity in a client's record, and when the registration is effective. */
export interface RegisteredIdentity extends ValidityPeriod {
  readonly key: string;
  readonly identity: Identity;
  /** Undefined unless the record contains the certificate itself. */
  readonly contained: ContainedCertificate | undefined;
  /** The CA keys, one of which must be on the certification path (base64url SHA-256); empty if any anchor will do. */
  readonly caPins: readonly string[];
  /** Of the entry in the record, if it has one. */
  readonly description: string | undefined;
  /** Whether the certificate counts only if its chain is verified. */
  readonly requiresChain: boolean;
}

/** @param now milliseconds since the epoch */
export function isEffective({ notBefore = -Infinity, notAfter = Infinity }: ValidityPeriod, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}

/** Every identity by which a client could register this certificate. */
export function identitiesOfCertificate(certificate: ClientCertificate): readonly Identity[] {
  const { subject, alternativeNames: names, svid } = certificate;
  const kinds = ['dns', 'uri', 'ip', 'email'] as const;
  return [
    thumbprintIdentity({ algorithm: 'sha256', value: certificate.thumbprint }),
    thumbprintIdentity({ algorithm: 'sha1', value: certificate.otherThumbprints.sha1 }),
    publicKeyIdentity(certificate.otherThumbprints.publicKey),
    ...(subject.canonical === undefined ? [] : [subjectIdentity(subject)]),
    ...kinds.flatMap((kind) => [...new Set(names[kind])].map((name) => alternativeNameIdentity(kind, name))),
    ...(svid.spiffeId === undefined ? [] : patternsOf(svid.spiffeId).map(patternIdentity)),
  ];
}

/**
 * The last part of an identity's Redis key: `{kind}:{thumbprint}`, or for a name `{kind}:{base64url of its SHA-256}`.
 * A later runtime may write the canonical form of a name with new characters differently; `clients apply` then adds
 * the missing entry.
 */
export function identityKey({ kind, value }: Pick<Identity, 'kind' | 'value'>): string {
  if (kind === 'thumbprint' || kind === 'public_key') return `${kind}:${value}`;
  return `${kind}:${createHash('sha256').update(value).digest('base64url')}`;
}

export function thumbprintIdentity({ algorithm, value }: RegisteredThumbprint): Identity {
  if (algorithm === 'sha256') return { kind: 'thumbprint', value, text: `thumbprint ${value}` };
  // As .NET prints it, and `X509Thumbprint` secrets have it.
  const hex = Buffer.from(value, 'base64url').toString('hex').toUpperCase();
  return { kind: 'thumbprint', value: `sha1:${value}`, text: `SHA-1 thumbprint ${hex}` };
}

export function publicKeyIdentity(thumbprint: string): Identity {
  return { kind: 'public_key', value: thumbprint, text: `public key ${thumbprint}` };
}

export function subjectIdentity(name: MatchableName): Identity {
  return { kind: 'dn', value: name.canonical, text: `subject ${formatDistinguishedName(name)}` };
}

export function alternativeNameIdentity(kind: AlternativeNameKind, name: string): Identity {
  return { kind, value: name, text: `${kind} ${name}` };
}

/** A SPIFFE ID is a URI of the certificate; whether the certificate is an SVID is for the record to decide. */
export function spiffeIdentity(pattern: SpiffePattern): Identity {
  if (!isExact(pattern)) return patternIdentity(pattern.text);
  return { kind: 'uri', value: pattern.text, text: `SPIFFE ID ${pattern.text}` };
}

function patternIdentity(text: string): Identity {
  return { kind: 'spiffe_pattern', value: text, text: `SPIFFE IDs ${text}` };
}

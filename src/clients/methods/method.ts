import { z } from 'zod';
import type { Form } from '../../oauth/form.ts';
import { invalidClient, type OAuthError } from '../../oauth/oauth-error.ts';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { type ClientCertificate, requireValidAt } from '../../pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../../pki/path/verify-chain.ts';
import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { ContainedCertificate, Identity, ValidityPeriod } from '../identities.ts';
import { describedAs, end, text } from '../record-fields.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { SpiffePattern } from '../spiffe-pattern.ts';

/**
 * One client authentication method (`token_endpoint_auth_method`, RFC 7591 §2). A new method is one file with such a
 * descriptor and one line in `methods.ts`; the record schema, the metadata, the index of identities and the commands
 * read that table.
 *
 * `Registered` is what the method keeps of one entry of a record, `Fields` the record fields that only its clients may
 * have.
 */
export interface AuthenticationMethod<Registered extends RegisteredEntry, Fields extends z.ZodRawShape> {
  readonly fields: Fields;
  /** The types of IdentityServer secrets that stand for this method. */
  readonly secretTypes: readonly SecretType[];
  /** The fields that identify the client: exactly one of them, or any number. `client_secrets` counts as one more, of any length. */
  readonly identifiedBy: { readonly quantity: 'one' | 'any'; readonly fields: readonly (keyof Fields & string)[] };
  /** The fields that another one requires, as in JSON Schema. */
  readonly dependentRequired: { readonly [Field in keyof Fields & string]?: readonly (keyof Fields & string)[] };
  /** The credential that a request carries besides `client_id`. */
  readonly credential: 'certificate' | FormCredential;
  /** Whether the certificate's chain must be verified. */
  readonly requiresChain: boolean;

  /** Parses every entry of a record; none if it reported errors that leave nothing to register. */
  parse(
    record: FieldsOf<Fields>,
    policy: RegistrationPolicy,
    diagnostics: Diagnostics,
    now: number,
  ): readonly Registered[];

  /** What the client is recognized by. */
  identity(registered: Registered): Identity;

  /** The registered certificate; undefined unless the record contains the certificate itself. */
  containedCertificate(registered: Registered): ContainedCertificate | undefined;

  /** The SPIFFE ID that the client is registered by, or the pattern. */
  spiffePattern(registered: Registered): SpiffePattern | undefined;

  /**
   * Decides which of several clients that a certificate authenticates is its client: the one with the highest number.
   * Undefined if the client has no precedence over others, nor they over it.
   */
  specificity(registered: Registered): number | undefined;

  /** The CA keys, one of which must be on the certification path (base64url SHA-256); empty if any anchor will do. */
  caPins(registered: Registered): readonly string[];

  /** Whether the certificate is that of the client, as far as that does not depend on its chain. */
  recognizes(registered: Registered, certificate: ClientCertificate): boolean;

  /**
   * Authenticates the client with a certificate that one of its registrations recognizes, and that is effective now.
   *
   * @throws {OAuthError} invalid_client
   */
  authenticate(registered: Registered, presented: PresentedCertificateOfClient): Authentication;

  /** Why a certificate is rejected that none of these registrations recognizes; it names what is registered. */
  mismatch(registered: readonly Registered[], presented: PresentedCertificateOfClient): OAuthError;
}

/** What is kept of an entry of a record, whatever its method: when it is effective, and its description. */
export interface RegisteredEntry extends ValidityPeriod {
  /** For the audit event; undefined if the record has none. */
  readonly description: string | undefined;
}

const MAX_DESCRIPTION_CHARACTERS = 200;

/** The description of an entry, as audit events contain it. */
export function shortDescription(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  return text.length <= MAX_DESCRIPTION_CHARACTERS
    ? text
    : `${text.slice(0, MAX_DESCRIPTION_CHARACTERS).toWellFormed()}…`;
}

/** What a request presents to prove who sent it. */
export interface AuthenticationRequest {
  readonly form: Form;
  readonly presented: PresentedCertificate;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The client certificate of a request, or why there is none. */
export type PresentedCertificate =
  | PresentedCertificateOfClient
  | { readonly kind: 'none'; readonly code: InvalidClientCode; readonly reason: string };

export interface PresentedCertificateOfClient {
  readonly kind: 'certificate';
  readonly certificate: ClientCertificate;
  /** Whether its chain counts as verified by the configured verifier, and the reason. */
  readonly chain: ChainStatus;
}

/**
 * The certificate of a request, valid now. The methods of RFC 8705 begin with it.
 *
 * @throws {OAuthError} invalid_client
 */
export function requireCertificate({ presented, now }: AuthenticationRequest): PresentedCertificateOfClient {
  if (presented.kind === 'none') throw invalidClient(presented.code, `no certificate: ${presented.reason}`);
  try {
    requireValidAt(presented.certificate, now);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw invalidClient(error.code, `the certificate ${error.message}`);
  }
  return presented;
}

export interface Authentication {
  /** The certificate that tokens are bound to (RFC 8705 §3). */
  readonly certificate: ClientCertificate;
  /** The subject of the client's tokens (RFC 9068 §2.2), if that is not its `client_id`. */
  readonly sub?: string | undefined;
  /** For the operator: what about this client should change. */
  readonly advice?: string | undefined;
}

/** Credentials in the form or the `Authorization` header (RFC 7591 §2, RFC 7521 §4.2). */
export type FormCredential = 'client_secret_basic' | 'client_secret_post' | 'client_assertion';

/** The names in IdentityServer's `SecretTypes` and the values behind them. */
const secretTypes = ['X509Name', 'X509CertificateName', 'X509Thumbprint', 'X509CertificateThumbprint'] as const;

export type SecretType = (typeof secretTypes)[number];

/** IdentityServer's `Secret`, as it appears in its configuration. */
export const clientSecret = z.strictObject({
  type: z
    .enum(secretTypes, { error: `expected ${secretTypes.join(', ')}` })
    .meta(describedAs('what the value is: the subject as .NET prints it, or the thumbprint of a certificate')),
  value: text().meta(describedAs('the name or the thumbprint')),
  description: z.string().optional().meta(describedAs('what audit events call this entry')),
  expiration: end.optional().meta(describedAs('the last day (UTC) or instant on which it is effective')),
});

/** The fields of one method, parsed, and the secrets of all. */
export type FieldsOf<Fields extends z.ZodRawShape> = z.output<z.ZodObject<Fields>> & {
  readonly client_secrets?: readonly z.output<typeof clientSecret>[] | undefined;
};

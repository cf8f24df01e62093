import { z } from 'zod';
import { isClientId } from '../oauth/client-id.ts';
import { isScopeToken, MAX_SCOPE_TOKEN_LENGTH } from '../oauth/scope.ts';

/** What editors show beside a field; the published schema takes it from here. */
const says = (description: string) => ({ description });

const text = (max: number) => z.string().min(1, 'must not be empty').max(max);
const oneOrMany = z.union([text(1024), z.array(text(1024)).min(1)], { error: 'expected a text or a list of texts' });

const LAST_MILLISECOND_OF_DAY = 86_400_000 - 1;

/** An instant, or a day in UTC, of which `ofDay` milliseconds are over. */
const instant = (ofDay: number) =>
  z.union(
    [
      z.iso.datetime({ offset: true }).transform((value) => Date.parse(value)),
      z.iso.date().transform((day) => Date.parse(day) + ofDay),
    ],
    { error: 'expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z' },
  );

/** A day begins with its first millisecond, and ends with its last. */
const begin = instant(0);
const end = instant(LAST_MILLISECOND_OF_DAY);

const registeredCertificate = z
  .strictObject({
    thumbprint: text(200).optional().meta(says('SHA-256 of the DER: hex in any usual spelling, or base64url')),
    pem: text(65_536).optional().meta(says('the certificate itself, PEM')),
    public_key_thumbprint: text(200)
      .optional()
      .meta(says('SHA-256 of the SubjectPublicKeyInfo, base64url or hex: any certificate over this key')),
    not_before: begin.optional().meta(says('the first day (UTC) or instant at which it counts')),
    not_after: end.optional().meta(says('the last day (UTC) or instant at which it counts')),
    note: z.string().max(1024).optional().meta(says('for people')),
  })
  .refine(
    ({ thumbprint, pem, public_key_thumbprint }) =>
      [thumbprint, pem, public_key_thumbprint].filter(Boolean).length === 1,
    {
      error: 'expected exactly one of thumbprint, pem and public_key_thumbprint',
    },
  )
  .refine(({ not_before: from = -Infinity, not_after: to = Infinity }) => from <= to, {
    path: ['not_before'],
    error: 'is after not_after, so the registration would never count; exchange or mend the two',
  })
  .meta({ oneOf: [{ required: ['thumbprint'] }, { required: ['pem'] }, { required: ['public_key_thumbprint'] }] });

/** RFC 7517 §4. Of a key we read the certificate (`x5c`) or its thumbprint (`x5t#S256`); the rest may stand there. */
const jsonWebKey = z
  .looseObject({
    x5c: z
      .array(text(65_536))
      .min(1, 'must not be empty')
      .optional()
      .meta(says('the certificate, base64 of the DER, first; the others never identify anybody')),
    'x5t#S256': text(200).optional().meta(says('SHA-256 of the certificate, base64url')),
  })
  .meta({ anyOf: [{ required: ['x5c'] }, { required: ['x5t#S256'] }] });

/** IdentityServer's `Secret`, with the names of `SecretTypes` and the values behind them. */
const clientSecret = z.strictObject({
  type: z
    .enum(['X509Name', 'X509CertificateName', 'X509Thumbprint', 'X509CertificateThumbprint'])
    .meta(says("what the value is: the subject as .NET prints it, or a certificate's thumbprint")),
  value: text(8192).meta(says('the name or the thumbprint')),
  description: z.string().max(1024).optional().meta(says('for people')),
  expiration: end.optional().meta(says('the last day (UTC) or instant at which it counts')),
});

/** The claims that we set or that mean something to who reads a token (RFC 9068 §2.2, RFC 7519 §4.1, RFC 8693 §4). */
export const reservedClaims: ReadonlySet<string> = new Set(
  'iss sub aud exp nbf iat jti client_id scope cnf act may_act auth_time acr amr typ'.split(' '),
);

const additionalClaims = z
  .record(z.string(), z.json())
  .superRefine((claims, context) => {
    for (const name of Object.keys(claims).filter((claim) => reservedClaims.has(claim))) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is a claim that the server sets; choose another name',
      });
    }
  })
  .meta({ propertyNames: { not: { enum: [...reservedClaims] } } });

function faultOfScope(token: string): string {
  if (token === '') return 'has a space too many; expected names with one space between';
  if (token.length > MAX_SCOPE_TOKEN_LENGTH)
    return `has a name of ${token.length} characters; expected at most ${MAX_SCOPE_TOKEN_LENGTH}`;
  return `"${token}" is not a scope; expected names with one space between`;
}

const scopeList = z
  .string()
  .max(65_536)
  .superRefine((value, context) => {
    for (const token of value.split(' ').filter((item) => value !== '' && !isScopeToken(item))) {
      context.addIssue({ code: 'custom', message: faultOfScope(token) });
    }
  })
  .meta({ pattern: String.raw`^(?:[!#-\[\]-~]{1,256}(?: [!#-\[\]-~]{1,256})*)?$` });

/**
 * A client's record as people write it: the names of RFC 7591 §2 and RFC 8705 §2, and our additions. Unknown fields
 * are refused: a misspelt restriction would otherwise be none.
 */
export const clientRecordSchema = z.strictObject({
  client_id: z
    .string()
    .refine(isClientId, { error: 'expected 1 to 255 printable ASCII characters' })
    .meta({ ...says('the name of the client: 1 to 255 printable ASCII characters'), pattern: '^[ -~]{1,255}$' }),
  client_name: z.string().max(1024).optional().meta(says('for people')),
  client_uri: z.string().max(2048).optional().meta(says('for people: where the client is described')),
  contacts: z.array(z.string().max(1024)).optional().meta(says('for people: who is responsible for the client')),
  enabled: z.boolean().default(true).meta(says('false refuses the client as if it did not exist')),
  token_endpoint_auth_method: z
    .enum(['tls_client_auth', 'self_signed_tls_client_auth'], {
      error: 'expected tls_client_auth or self_signed_tls_client_auth',
    })
    .optional()
    .meta(says('how it authenticates: by a name that a CA vouches for, or by registered certificates')),
  tls_client_auth_subject_dn: text(8192).optional().meta(says('tls_client_auth: the subject DN, RFC 4514')),
  tls_client_auth_san_dns: text(255).optional().meta(says('tls_client_auth: a DNS name of the certificate')),
  tls_client_auth_san_uri: text(2048).optional().meta(says('tls_client_auth: a URI of the certificate')),
  tls_client_auth_san_ip: text(64).optional().meta(says('tls_client_auth: an IP address of the certificate')),
  tls_client_auth_san_email: text(320).optional().meta(says('tls_client_auth: an email address of the certificate')),
  tls_client_auth_ca: z
    .array(text(200))
    .min(1)
    .max(32)
    .optional()
    .meta(says("tls_client_auth: thumbprints of CAs' public keys, one of which must vouch for the client")),
  jwks: z
    .strictObject({
      keys: z.array(jsonWebKey).min(1, 'must not be empty').meta(says('a certificate each, by x5c or x5t#S256')),
    })
    .optional()
    .meta(says('self_signed_tls_client_auth: registered certificates as a JWK set')),
  certificates: z
    .array(registeredCertificate)
    .min(1, 'must not be empty')
    .optional()
    .meta(says('self_signed_tls_client_auth: registered certificates, each by thumbprint, PEM or key')),
  client_secrets: z
    .array(clientSecret)
    .min(1, 'must not be empty')
    .optional()
    .meta(says("IdentityServer's secrets of types X509Name or X509Thumbprint, as they stand")),
  tls_client_certificate_bound_access_tokens: z
    .literal(true, { error: 'must be true: every token is bound to the certificate that obtained it' })
    .optional()
    .meta(says('may say true: every token is bound to the certificate that obtained it')),
  grant_types: z
    .array(z.literal('client_credentials', { error: 'expected client_credentials' }))
    .min(1, 'must not be empty')
    .default(['client_credentials'])
    .meta(says('the grants that it may use')),
  scope: scopeList.default('').meta(says('the scopes that it may have, with one space between')),
  audience: z
    .union([oneOrMany, z.record(text(256), oneOrMany)], {
      error: 'expected a text, a list of texts, or a map from scope to either',
    })
    .optional()
    .meta(says('the aud of its tokens: one, a list, or a map from scope to either; without it, the issuer')),
  access_token_lifetime: z
    .int()
    .min(10, 'at least 10 (seconds)')
    .max(86_400, 'at most 86400 (seconds)')
    .default(3600)
    .meta(says('seconds')),
  access_token_scope_claim: z
    .enum(['string', 'array'])
    .default('string')
    .meta(says('how tokens hold their scopes: a string (RFC 9068), or an array as for IdentityServer')),
  claims: additionalClaims.default({}).meta(says('claims to add to its tokens')),
});

/** A record that has the right fields of the right types; {@link readClient} decides whether it makes sense. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;

import { z } from 'zod';
import { grantTypes, isClientId, isScopeToken, MAX_SCOPE_TOKEN_LENGTH } from '../oauth/grammar.ts';
import { clientSecret } from './methods/method.ts';
import { authenticationMethodNames, methodFields } from './methods/methods.ts';
import { describedAs, text } from './record-fields.ts';

const oneOrMany = z.union([text(1024), z.array(text(1024)).min(1)], { error: 'expected a text or a list of texts' });

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
    .meta({ ...describedAs('the name of the client: 1 to 255 printable ASCII characters'), pattern: '^[ -~]{1,255}$' }),
  client_name: z.string().max(1024).optional().meta(describedAs('for people')),
  client_uri: z.string().max(2048).optional().meta(describedAs('for people: where the client is described')),
  contacts: z.array(z.string().max(1024)).optional().meta(describedAs('for people: who is responsible for the client')),
  enabled: z.boolean().default(true).meta(describedAs('false refuses the client as if it did not exist')),
  token_endpoint_auth_method: z
    .enum(authenticationMethodNames, { error: `expected ${authenticationMethodNames.join(' or ')}` })
    .optional()
    .meta(describedAs('how it authenticates: by a name that a CA vouches for, or by registered certificates')),
  ...methodFields,
  client_secrets: z
    .array(clientSecret)
    .min(1, 'must not be empty')
    .optional()
    .meta(describedAs("IdentityServer's secrets of types X509Name or X509Thumbprint, as they stand")),
  tls_client_certificate_bound_access_tokens: z
    .literal(true, { error: 'must be true: every token is bound to the certificate that obtained it' })
    .optional()
    .meta(describedAs('may say true: every token is bound to the certificate that obtained it')),
  grant_types: z
    .array(z.enum(grantTypes, { error: `expected ${grantTypes.join(' or ')}` }))
    .min(1, 'must not be empty')
    .default(['client_credentials'])
    .meta(describedAs('the grants that it may use')),
  scope: scopeList.default('').meta(describedAs('the scopes that it may have, with one space between')),
  audience: z
    .union([oneOrMany, z.record(text(256), oneOrMany)], {
      error: 'expected a text, a list of texts, or a map from scope to either',
    })
    .optional()
    .meta(describedAs('the aud of its tokens: one, a list, or a map from scope to either; without it, the issuer')),
  access_token_lifetime: z
    .int()
    .min(10, 'at least 10 (seconds)')
    .max(86_400, 'at most 86400 (seconds)')
    .default(3600)
    .meta(describedAs('seconds')),
  access_token_scope_claim: z
    .enum(['string', 'array'])
    .default('string')
    .meta(describedAs('how tokens hold their scopes: a string (RFC 9068), or an array as for IdentityServer')),
  claims: additionalClaims.default({}).meta(describedAs('claims to add to its tokens')),
});

/** A record that has the right fields of the right types; {@link readClient} decides whether it makes sense. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;

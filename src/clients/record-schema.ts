import { z } from 'zod';
import { CLIENT_ID_GRAMMAR, grantTypes, isClientId, MAX_RESOURCE_LENGTH } from '../oauth/grammar.ts';
import { clientSecret } from './methods/method.ts';
import { authenticationMethodNames, methodFields } from './methods/methods.ts';
import { describedAs, scopeList, shortText, text } from './record-fields.ts';
import { TOKEN_RATE_PATTERN } from './token-rate.ts';

/** The `resource` of a request is one of these, and has the same bound. */
const audienceText = shortText(MAX_RESOURCE_LENGTH, 'as the resource of a request');

const oneOrMany = z.union([audienceText, z.array(audienceText).min(1, 'must not be empty')], {
  error: 'expected a string or a list of strings',
});

const audiences = z.union([oneOrMany, z.record(text(), oneOrMany)], {
  error: 'expected a string, a list of strings, or a map from scope to either',
});

/** Claims that the server sets, or that have a meaning in access tokens (RFC 9068 §2.2, RFC 7519 §4.1, RFC 8693 §4). */
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
        message: 'is a claim that the server sets; use another name',
      });
    }
  })
  .meta({ propertyNames: { not: { enum: [...reservedClaims] } } });

const tokenRateError = 'expected a number of tokens and a period, such as 100/s, 300/m or 5000/h';

/**
 * A client record with the field names of RFC 7591 §2 and RFC 8705 §2, and extensions. Unknown fields are rejected,
 * because a misspelled restriction would otherwise have no effect.
 */
export const clientRecordSchema = z.strictObject({
  client_id: z
    .string()
    .refine(isClientId, { error: `expected ${CLIENT_ID_GRAMMAR}` })
    .meta({
      ...describedAs(`the identifier of the client: ${CLIENT_ID_GRAMMAR}`),
      pattern: '^[ -~]{1,255}$',
    }),
  client_name: z.string().optional().meta(describedAs('human-readable name')),
  client_uri: z.string().optional().meta(describedAs('web page with information about the client')),
  contacts: z.array(z.string()).optional().meta(describedAs('people who are responsible for the client')),
  enabled: z.boolean().default(true).meta(describedAs('false rejects the client as if it did not exist')),
  token_endpoint_auth_method: z
    .enum(authenticationMethodNames, { error: `expected ${authenticationMethodNames.join(' or ')}` })
    .optional()
    .meta(
      describedAs('how the client authenticates: by a name in a certificate of a CA, or by registered certificates'),
    ),
  ...methodFields,
  client_secrets: z
    .array(clientSecret)
    .min(1, 'must not be empty')
    .optional()
    .meta(
      describedAs(
        "IdentityServer's secrets of types X509Name and X509Thumbprint, unchanged: any number, each by itself",
      ),
    ),
  tls_client_certificate_bound_access_tokens: z
    .literal(true, { error: 'must be true: every token is bound to the certificate that obtained it' })
    .optional()
    .meta(describedAs('true, if present: every token is bound to the certificate that obtained it')),
  grant_types: z
    .array(z.enum(grantTypes, { error: `expected ${grantTypes.join(' or ')}` }))
    .default(['client_credentials'])
    .meta(describedAs('the grant types that the client may use; an empty list is a client of the edge only')),
  scope: scopeList.default('').meta(describedAs('the scopes that the client may request, separated by one space')),
  audience: audiences
    .optional()
    .meta(describedAs('the aud of its tokens: a string, a list, or a map from scope to either; the issuer by default')),
  isolated_audience: audiences
    .optional()
    .meta(
      describedAs(
        'further audiences, in the same form: each is the aud only of a token whose request names it alone as its resource',
      ),
    ),
  access_token_lifetime: z
    .int()
    .min(10, 'must be at least 10 (seconds)')
    .max(86_400, 'must be at most 86400 (seconds)')
    .default(3600)
    .meta(describedAs('lifetime of its tokens in seconds')),
  token_rate: z
    .string(tokenRateError)
    .regex(TOKEN_RATE_PATTERN, tokenRateError)
    .optional()
    .meta(
      describedAs('how many tokens it may obtain from each replica, such as 100/s or 5000/h; any number by default'),
    ),
  access_token_scope_claim: z
    .enum(['string', 'array'], { error: 'expected string or array' })
    .default('string')
    .meta(describedAs('the type of the scope claim: a string (RFC 9068), or an array as in IdentityServer')),
  claims: additionalClaims.default({}).meta(describedAs('additional claims of its tokens')),
});

/** A record with valid fields; `parseClient` checks whether they are consistent. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;

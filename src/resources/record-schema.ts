import { z } from 'zod';
import { describedAs, scopeList, text } from '../clients/record-fields.ts';
import { CLIENT_ID_GRAMMAR, isClientId, isResourceIndicator, MAX_RESOURCE_LENGTH } from '../oauth/grammar.ts';
import { signingAlgorithmNames } from '../tokens/algorithms/signing-algorithm.ts';
import { isResourceName } from './resource.ts';

const bindings = ['caller', 'proxy', 'none'] as const;
const forwardedTokens = ['original', 'minted', 'none'] as const;
const oneOf = (values: readonly string[]) => `expected ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;

/** Clocks differ by seconds. */
const MIN_LIFETIME_SECONDS = 10;
/** The proxy obtains a token for each request, and nothing revokes one that the upstream has received. */
const MAX_LIFETIME_SECONDS = 300;

/** A stolen token that is bound to no certificate works for any client. */
export const MAX_UNBOUND_LIFETIME_SECONDS = 60;

/** The current certificate of the proxy, and during a renewal the next one. */
const MAX_PROXY_CERTIFICATES = 2;

const LENGTH = `at most ${MAX_RESOURCE_LENGTH} characters`;

/** `WWW-Authenticate` quotes it (RFC 9728 §5.1). */
const METADATA_URL = /^https:\/\/[\x21\x24-\x5b\x5d-\x7e]+$/;

/** A resource record. Unknown fields are rejected, because a misspelled restriction would otherwise have no effect. */
export const resourceRecordSchema = z.strictObject({
  name: z
    .string()
    .refine(isResourceName, { error: 'expected 1 to 63 lowercase letters, digits and hyphens' })
    .meta({
      ...describedAs('the name of the resource in the path of a check: 1 to 63 lowercase letters, digits and hyphens'),
      pattern: '^[a-z0-9-]{1,63}$',
    }),
  resource: z
    .string()
    .refine(isResourceIndicator, {
      error: `expected an absolute URI without a fragment, such as https://orders.example (${LENGTH}, RFC 8707 §2)`,
    })
    .meta({
      maxLength: MAX_RESOURCE_LENGTH,
      ...describedAs('the aud of its tokens: an absolute URI without a fragment, as in the audience of its clients'),
      pattern: String.raw`^[A-Za-z][A-Za-z0-9+.\-]*:[!"$-~]+$`,
    }),
  scope: scopeList.min(1, 'must not be empty: name at least one scope that the caller needs').meta({
    ...describedAs('the scopes that the caller needs, all of them, separated by one space'),
    pattern: String.raw`^[!#-\[\]-~]{1,256}(?: [!#-\[\]-~]{1,256})*$`,
  }),
  access_token_lifetime: z
    .int()
    .min(MIN_LIFETIME_SECONDS, `must be at least ${MIN_LIFETIME_SECONDS} (seconds)`)
    .max(MAX_LIFETIME_SECONDS, `must be at most ${MAX_LIFETIME_SECONDS} (seconds)`)
    .default(60)
    .meta(describedAs('lifetime of its tokens in seconds')),
  binding: z
    .enum(bindings, { error: ({ input }) => `${input === undefined ? 'is missing: ' : ''}${oneOf(bindings)}` })
    .meta(
      describedAs('whose certificate its tokens are bound to: the caller, the proxy in front of the upstream, or none'),
    ),
  proxy_thumbprints: z
    .array(text())
    .min(1, 'must not be empty')
    .refine((thumbprints) => thumbprints.length <= MAX_PROXY_CERTIFICATES, {
      error: 'must contain at most 2: that of the current certificate, and during a renewal that of the next one',
    })
    .optional()
    .meta({
      ...describedAs(
        'binding proxy: thumbprints of the certificate that the proxy presents upstream, the current first',
      ),
      maxItems: MAX_PROXY_CERTIFICATES,
    }),
  forward: z
    .enum(forwardedTokens, { error: oneOf(forwardedTokens) })
    .default('minted')
    .meta(describedAs('what the upstream receives for a verified token: the token itself, a new one, or only headers')),
  resource_metadata: z
    .string()
    .refine(isMetadataUrl, {
      error: `expected an https URL without a fragment, such as https://orders.example/.well-known/oauth-protected-resource (${LENGTH})`,
    })
    .optional()
    .meta({
      ...describedAs('https URL of its metadata (RFC 9728), for the challenge of a rejected request'),
      maxLength: MAX_RESOURCE_LENGTH,
      pattern: METADATA_URL.source,
    }),
  signing_alg: z
    .enum(signingAlgorithmNames, { error: oneOf(signingAlgorithmNames) })
    .optional()
    .meta(describedAs("the algorithm that its tokens are signed with; the server's own by default")),
  introspection: z
    .array(z.string().refine(isClientId, { error: `expected a client_id: ${CLIENT_ID_GRAMMAR}` }))
    .default([])
    .meta(describedAs('the client_id of each client that may introspect its tokens, besides the client of the token')),
});

function isMetadataUrl(text: string): boolean {
  return text.length <= MAX_RESOURCE_LENGTH && METADATA_URL.test(text) && URL.canParse(text);
}

/** A record with valid fields; `parseResource` checks whether they are consistent. */
export type ResourceRecord = z.infer<typeof resourceRecordSchema>;

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import type { Language } from './toolchains.ts';

/** A library of the table in `docs/client-libraries.md`. */
export interface Library {
  /** As the programs print it. */
  readonly name: string;
  readonly language: Language | 'node';
  /** Where its version is pinned: the file, and the text before the version. */
  readonly pinned: readonly [file: string, before: string];
  /** Which document it reads, and what its users have to know. */
  readonly notes: string;
}

const pom = 'java/pom.xml';
const requirements = 'python/requirements.txt';
const npm = '../../package-lock.json';
const npmPackage = (name: string) => `"node_modules/${name}": {\n      "version": "`;
const crate = (name: string) => `name = "${name}"\nversion = "`;

export const libraries: readonly Library[] = [
  {
    name: 'Spring Security OAuth2 Client',
    language: 'java',
    pinned: [pom, '<spring-security.version>'],
    notes:
      'Reads `openid-configuration` first (`issuer-uri`). Set `token-uri` to the mutual TLS alias. `client-authentication-method` can stay `client_secret_basic` or be `none`; `tls_client_auth` needs a parameters converter.',
  },
  {
    name: 'Spring Security Resource Server',
    language: 'java',
    pinned: [pom, '<spring-security.version>'],
    notes:
      'Reads `openid-configuration` first. Build the decoder with `validateType(false)` and `JwtValidators.createAtJwtValidator()`: the default rejects the type `at+jwt`. It has no EdDSA.',
  },
  {
    name: 'Nimbus oauth2-oidc-sdk',
    language: 'java',
    pinned: [pom, '<artifactId>oauth2-oidc-sdk</artifactId>\n      <version>'],
    notes:
      'Has a parser for each document. `getMtlsEndpointAliases()` has the alias. Its default key selector has no EdDSA.',
  },
  {
    name: 'go-oidc',
    language: 'go',
    pinned: ['go/go.mod', 'github.com/coreos/go-oidc/v3 v'],
    notes:
      'Reads `openid-configuration` only, and accepts the algorithms of `id_token_signing_alg_values_supported`. `Provider.Claims` has the mutual TLS alias.',
  },
  {
    name: 'golang.org/x/oauth2',
    language: 'go',
    pinned: ['go/go.mod', 'golang.org/x/oauth2 v'],
    notes: 'Has no discovery: set `TokenURL` to the mutual TLS alias. Works in each `AuthStyle`, without a secret.',
  },
  {
    name: 'Authlib',
    language: 'python',
    pinned: [requirements, 'Authlib=='],
    notes:
      'Validates both documents. Works without a secret, and with an empty one. `JWTBearerTokenValidator` accepts only ES256 and RS256 of these algorithms.',
  },
  {
    name: 'requests-oauthlib',
    language: 'python',
    pinned: [requirements, 'requests-oauthlib=='],
    notes:
      'Has no discovery. `client_id` works in the body, and with Basic and an empty password. In Basic the library does not encode it: use `include_client_id=True` if it contains `:`, `%` or `+`.',
  },
  {
    name: 'PyJWT',
    language: 'python',
    pinned: [requirements, 'PyJWT=='],
    notes: '`PyJWKClient` reads the JWKS. List the algorithm explicitly.',
  },
  {
    name: 'oauth2',
    language: 'rust',
    pinned: ['rust/Cargo.lock', crate('oauth2')],
    notes: 'Has no discovery: set the token URL to the mutual TLS alias. Works without a secret and with an empty one.',
  },
  {
    name: 'openidconnect',
    language: 'rust',
    pinned: ['rust/Cargo.lock', crate('openidconnect')],
    notes:
      'Reads `openid-configuration` only, and requires `authorization_endpoint`. Its verifier is for ID tokens: access tokens need `allow_all_jose_types()`. Requests tokens with `oauth2`.',
  },
  {
    name: 'jsonwebtoken',
    language: 'rust',
    pinned: ['rust/Cargo.lock', crate('jsonwebtoken')],
    notes: 'Takes the keys from the JWKS by `kid`.',
  },
  {
    name: 'openid-client',
    language: 'node',
    pinned: [npm, npmPackage('openid-client')],
    notes: 'Reads either document. `use_mtls_endpoint_aliases` selects the alias.',
  },
  {
    name: 'oauth4webapi',
    language: 'node',
    pinned: [npm, npmPackage('oauth4webapi')],
    notes:
      'Reads either document. `use_mtls_endpoint_aliases` selects the alias. `validateJwtAccessToken` does not support certificate-bound tokens (`cnf` with `x5t#S256`): verify with `jose`.',
  },
  { name: 'jose', language: 'node', pinned: [npm, npmPackage('jose')], notes: 'Reads the JWKS.' },
];

/** The version in the lock file. */
export function pinnedVersion({ name, pinned: [file, before] }: Library): string {
  const text = readFileSync(join(repositoryRoot, 'test/client-libraries', file), 'utf8');
  const [, after] = text.split(before);
  const version = /^\d+(?:\.\d+)+/.exec(after ?? '')?.[0];
  if (version === undefined) throw new Error(`${file} does not pin ${name}`);
  return version;
}

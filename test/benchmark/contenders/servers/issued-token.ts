import { randomUUID } from 'node:crypto';

/** The claims of a token of `serve` for this form, with constant values where `serve` must find them out. */
export function exampleClaims(form: URLSearchParams) {
  const iat = Math.floor(Date.now() / 1000);
  const clientId = form.get('client_id') ?? '';
  return {
    iss: 'https://auth.example',
    sub: clientId,
    aud: 'https://auth.example',
    client_id: clientId,
    iat,
    nbf: iat,
    exp: iat + 3600,
    jti: randomUUID(),
    scope: 'read write',
    cnf: { 'x5t#S256': 'uq0mWs5UzhoMM2g3lLTNYzgQNLoP7YkUYaEl4m7Znpg' },
  };
}

/** The body of a token response. */
export function tokenResponse(accessToken: string) {
  return { access_token: accessToken, token_type: 'Bearer', expires_in: 3600, scope: 'read write' };
}

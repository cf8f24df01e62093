import { html } from 'hono/html';
import type { Html } from '../pages/page.ts';

/** The token that the token endpoint issued last, without its signature. */
export interface LastToken {
  /** @param body the JSON of the token response (RFC 6749 §5.1) */
  onResponse(body: string): void;
  render(): Html;
}

interface DecodedToken {
  readonly header: object;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What each claim is for (RFC 7519 §4.1, RFC 9068 §2.2, RFC 7800 §3.1). */
const meanings: Readonly<Record<string, string>> = {
  iss: 'Who issued it: the API compares it with the issuer that it trusts.',
  sub: 'The subject of the token: with client credentials, the client.',
  aud: 'For which APIs: an API rejects a token that does not name it.',
  client_id: 'The client that requested it.',
  scope: 'What the client may do there.',
  iat: 'When it was issued.',
  nbf: 'From when it is valid.',
  exp: 'When it expires.',
  jti: 'Its identifier: the audit log has it, and tokens are revoked by it.',
};

export function createLastToken(): LastToken {
  let last: DecodedToken | undefined;
  return {
    onResponse: (body) => {
      const token: unknown = JSON.parse(body).access_token;
      if (typeof token !== 'string') return;
      const [header = '', claims = ''] = token.split('.');
      last = { header: decodePart(header), claims: decodePart(claims) };
    },
    render: () => (last ? tokenTables(last) : html`<p class="muted">None yet: run one of the commands above.</p>`),
  };
}

function decodePart(part: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function tokenTables({ header, claims }: DecodedToken): Html {
  return html`<table>
<thead><tr><th>Claim</th><th>Value</th><th>Meaning</th></tr></thead>
<tbody>${Object.entries(claims).map(([name, value]) => claimRow(name, value))}</tbody>
</table>
<p class="muted">Header: <code>${JSON.stringify(header)}</code></p>`;
}

function claimRow(name: string, value: unknown): Html {
  return html`<tr><td><code>${name}</code></td><td><code>${formatClaim(name, value)}</code></td>
<td class="muted">${name === 'cnf' ? bindingMeaning() : (meanings[name] ?? '')}</td></tr>`;
}

function formatClaim(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const isTime = ['iat', 'nbf', 'exp'].includes(name) && typeof value === 'number';
  return isTime ? `${text} (${new Date(value * 1000).toISOString()})` : text;
}

function bindingMeaning(): Html {
  return html`Binds the token to a certificate (RFC 8705 §3): <code>x5t#S256</code> is the SHA-256 thumbprint of the
client's certificate. The API compares it with the certificate of the connection on which it receives the token, so a
stolen token is useless without the client's private key.`;
}

import type { IncomingMessage, RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { html } from 'hono/html';
import type { Client, RegisteredAudience } from '../clients/client.ts';
import { methodNames } from '../clients/methods/methods.ts';
import { identitiesOf } from '../clients/registered-identities.ts';
import type { RecentDecisions } from '../observability/recent-decisions.ts';
import { decisionTable } from '../pages/decisions.ts';
import { type Html, type LivePage, respondWithLivePart, respondWithPage } from '../pages/page.ts';
import type { Example } from './examples.ts';
import type { LastToken } from './last-token.ts';
import type { TrustExample } from './trust-ca.ts';

export interface HomeOptions {
  readonly issuer: string;
  /** URL of the operations listener. */
  readonly operations: string;
  readonly decisions: RecentDecisions;
  readonly lastToken: LastToken;
  readonly trust: readonly TrustExample[];
  /** Where the PKCS #12 file of the first client is, and its password. */
  readonly pkcs12: string;
  /** The records of the clients file, as it is now. */
  readonly readRecords: () => Promise<HomeRecords>;
}

export interface HomeRecords {
  readonly clients: readonly Client[];
  readonly examples: readonly Example[];
  /** Why the file is invalid. */
  readonly errors: readonly string[];
}

const LIVE_PATH = '/live';

/** Whether a request is for {@link createHome}. */
export function isForHome({ method, url }: IncomingMessage): boolean {
  return method === 'GET' && (url === '/' || url === LIVE_PATH);
}

/** The page of the development server for a browser: its clients, what to paste, the last token, the latest decisions. */
export function createHome(options: HomeOptions): RequestListener {
  const page: LivePage = {
    title: 'Countersign development server',
    introduction: async () => introduction(options, await options.readRecords()),
    live: () => live(options),
    footer: () => footer(options.operations),
  };
  return getRequestListener(({ url, headers }) =>
    new URL(url).pathname === LIVE_PATH
      ? respondWithLivePart(page, headers.get('if-none-match') ?? undefined)
      : respondWithPage(page, LIVE_PATH),
  );
}

function introduction({ issuer, trust, pkcs12 }: HomeOptions, { clients, examples, errors }: HomeRecords): Html {
  return html`<h1>Countersign development server</h1>
<p class="muted">Issuer <code>${issuer}</code></p>
<p class="warning">For development only: the CA and all keys are throw-away.</p>
${errors.map((error) => html`<p class="warning">${error}</p>`)}
<h2>Try it</h2>
${examples.map(
  ({ title, command }) => html`<p>${title}</p>
${commandToCopy(command)}`,
)}
<details>
<summary>Use it from a program: .NET, Java, Python, Node.js</summary>
<p>The certificate and the key of mtls.client in one file: ${pkcs12}</p>
<p>To trust the CA of this server, without a change of the code:</p>
${trust.map(
  ({ language, lines }) => html`<p>${language}</p>
${commandToCopy(lines.join('\n'))}`,
)}
</details>
<h2>Clients</h2>
<table>
<thead><tr><th>client_id</th><th>Method</th><th>Identified by</th><th>Scopes</th><th>Audience</th></tr></thead>
<tbody>${clients.map(clientRow)}</tbody>
</table>`;
}

function commandToCopy(command: string): Html {
  return html`<div class="command"><pre>${command}</pre><button type="button" data-copy>Copy</button></div>`;
}

function clientRow(client: Client): Html {
  const { clientId, enabled, registrations, scopes, audience } = client;
  return html`<tr>
<td><code>${clientId}</code>${enabled ? '' : html` <span class="rejected">disabled</span>`}</td>
<td data-label="Method">${methodNames(registrations).join(', ')}</td>
<td data-label="Identified by">${identitiesOf(client).map(({ text }) => html`<p><code>${text}</code></p>`)}</td>
<td data-label="Scopes"><code>${scopes.join(' ')}</code></td>
<td data-label="Audience"><code>${namesOf(audience).join(' ')}</code></td>
</tr>`;
}

/** Those of its tokens, and those that a request has to name. */
function namesOf({ all, resources }: RegisteredAudience): string[] {
  return [...new Set([...all, ...[...resources.values()].map(({ audience }) => audience)])];
}

function live({ decisions, lastToken }: HomeOptions): Html {
  return html`<h2>Last token</h2>
${lastToken.render()}
<h2>Decisions</h2>
${decisionTable(decisions)}`;
}

function footer(operations: string): Html {
  const links = [
    ['/.well-known/oauth-authorization-server', 'Authorization server metadata'],
    ['/.well-known/openid-configuration', 'OpenID configuration'],
    ['/jwks', 'Public keys (JWKS)'],
    [`${operations}/metrics`, 'Metrics'],
    [`${operations}/readyz`, 'Readiness'],
  ] as const;
  return html`<h2>Documents</h2>
<ul class="links">${links.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`)}</ul>`;
}

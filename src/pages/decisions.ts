import { html } from 'hono/html';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { Decision, RecentDecisions } from '../observability/recent-decisions.ts';
import { reasonOf } from '../reasons/reasons.ts';
import type { Html } from './page.ts';

/** A table of the latest decisions, the newest first. */
export function decisionTable(decisions: RecentDecisions): Html {
  const latest = decisions.read();
  if (latest.length === 0) return html`<p class="muted">None yet. Decisions appear here as they are made.</p>`;
  return html`<table>
<thead><tr><th>Time</th><th>Decision</th><th>Client</th><th>Details</th></tr></thead>
<tbody>${latest.map(row)}</tbody>
</table>`;
}

function row({ time, isGranted, entry }: Decision): Html {
  const at = new Date(time).toISOString();
  return html`<tr>
<td><time datetime="${at}" class="muted">${at.slice(11, 19)} UTC</time></td>
<td><span class="${isGranted ? 'granted' : 'rejected'}">${decisionOf(entry)}</span></td>
<td data-label="Client"><code>${entry.client_id ?? 'unknown'}</code></td>
<td>${details(entry)}</td>
</tr>`;
}

/** `token issued` of `token_issued`. */
function decisionOf({ event, active }: AuditEntry): string {
  if (active === false) return 'token inactive';
  return event.replaceAll('_', ' ');
}

function details(entry: AuditEntry): Html {
  const facts = factsOf(entry).filter(([, value]) => value !== undefined && value !== '');
  return html`${entry.reason === undefined ? '' : html`<p>${entry.reason}</p>`}
${entry.code === undefined ? '' : html`<p class="muted">Fix: ${withCode(reasonOf(entry.code).fix)}</p>`}
${entry.advice === undefined ? '' : html`<p>${entry.advice}</p>`}
${facts.map(([name, value]) => html`<p><span class="muted">${name}:</span> <code>${value}</code></p>`)}`;
}

/** Renders what is between backticks as code, as in Markdown. */
function withCode(text: string): (Html | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

function factsOf({
  code,
  error,
  resource,
  scope,
  audience,
  subject,
  spiffe_id,
  thumbprint,
  peer,
  client_address,
  request_id,
}: AuditEntry) {
  return [
    ['code', code],
    ['error', error],
    ['resource', resource],
    ['scope', scope],
    ['audience', audience?.join(' ')],
    ['certificate', subject],
    ['SPIFFE ID', spiffe_id],
    ['thumbprint', thumbprint],
    ['proxy', peer],
    ['client address', client_address],
    ['request id', request_id],
  ] as const;
}

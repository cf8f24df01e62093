import { html } from 'hono/html';
import type { RecentDecisions } from '../observability/recent-decisions.ts';
import { decisionTable } from './decisions.ts';
import type { LivePage } from './page.ts';

export interface OperatorPageOptions {
  readonly issuer: string;
  readonly decisions: RecentDecisions;
  /** Why no client can be served at the moment; undefined if some can. */
  readonly notReadyReason: () => string | undefined;
}

/** For how long granted requests are kept after the page has asked for them. */
const WATCH_MILLISECONDS = 10_000;

/** The decisions of this replica as they are made, for an operator behind `kubectl port-forward`. */
export function operatorPage({ issuer, decisions, notReadyReason }: OperatorPageOptions): LivePage {
  return {
    title: `Decisions · ${issuer}`,
    introduction: () => html`<h1>Decisions</h1>
<p class="muted">Of this replica of <code>${issuer}</code>. Granted requests are listed while this page is open, rejected
ones always, and repeated uses of a token at the edge never.</p>`,
    live: () => {
      decisions.watch(WATCH_MILLISECONDS);
      const reason = notReadyReason();
      const readiness = reason === undefined ? '' : html`<p class="warning">Not ready: ${reason}</p>`;
      return html`${readiness}${decisionTable(decisions)}`;
    },
    footer: () => html`<h2>See also</h2>
<ul class="links"><li><a href="/metrics">Metrics</a></li><li><a href="/readyz">Readiness</a></li></ul>`,
  };
}

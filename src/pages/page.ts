import { createHash, randomBytes } from 'node:crypto';
import { html, raw } from 'hono/html';

/** A piece of HTML in which every value is escaped. */
export type Html = ReturnType<typeof html>;

/** A page of which one part follows the state of the server. */
export interface LivePage {
  readonly title: string;
  /** What is above the live part, and does not change. */
  readonly introduction: () => Html | Promise<Html>;
  /** Rendered for the page, and again at `path` as long as the page is open. */
  readonly live: () => Html | Promise<Html>;
  /** Below the live part. */
  readonly footer: () => Html | Promise<Html>;
}

/**
 * Renders the whole page.
 *
 * @param livePath where {@link livePart} is served, as an absolute path
 */
export async function respondWithPage(
  { title, introduction, live, footer }: LivePage,
  livePath: string,
): Promise<Response> {
  const nonce = randomBytes(16).toString('base64');
  const document = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${raw(styleSheet)}</style>
</head>
<body>
<main>
${await introduction()}
<div id="live" data-path="${livePath}">${await live()}</div>
<p id="status" role="status" hidden>The server does not respond. This page continues when it does.</p>
${await footer()}
</main>
<script nonce="${nonce}">${raw(script)}</script>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return new Response(document.toString(), { headers: { ...htmlHeaders, 'content-security-policy': policy } });
}

/** Renders the live part of a page; 304 (RFC 9110 §15.4.5) if it is what the page shows already. */
export async function respondWithLivePart({ live }: LivePage, ifNoneMatch: string | undefined): Promise<Response> {
  const part = (await live()).toString();
  const etag = `"${createHash('sha256').update(part).digest('base64url')}"`;
  const headers = { ...htmlHeaders, etag };
  return ifNoneMatch === etag ? new Response(null, { status: 304, headers }) : new Response(part, { headers });
}

const htmlHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** Asks once a second for the live part, while the page is visible. */
const script = `
const live = document.getElementById('live');
const status = document.getElementById('status');
let etag = '';
async function update() {
  try {
    const response = await fetch(live.dataset.path, { headers: { 'If-None-Match': etag }, cache: 'no-store' });
    if (response.ok) {
      etag = response.headers.get('ETag');
      live.innerHTML = await response.text();
    }
    status.hidden = response.ok || response.status === 304;
  } catch {
    status.hidden = false;
  }
}
setInterval(() => document.hidden || update(), 1000);
document.addEventListener('click', async ({ target }) => {
  if (!target.matches('button[data-copy]')) return;
  await navigator.clipboard.writeText(target.previousElementSibling.textContent);
  target.textContent = 'Copied';
  setTimeout(() => { target.textContent = 'Copy'; }, 1500);
});
`;

const styleSheet = `
:root {
  --text: #1c2024; --muted: #60646c; --back: #fff; --panel: #f6f7f9; --line: #d9dce1; --link: #0b5cad;
  --good: #17703a; --bad: #b3261e; --warn: #7a5200; --warn-back: #fff5dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e8eb; --muted: #a0a6ae; --back: #14171a; --panel: #1d2125; --line: #363c42; --link: #7db8f5;
    --good: #6fd194; --bad: #ff8f87; --warn: #f3cf7a; --warn-back: #2f2714;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0 .5rem; }
a { color: var(--link); }
code, pre { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; }
summary { cursor: pointer; margin: .75rem 0; }
.muted { color: var(--muted); }
.warning { background: var(--warn-back); color: var(--warn); padding: .5rem .75rem; border-radius: 6px; }
.command { display: flex; gap: .75rem; align-items: start; justify-content: space-between; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; margin: .25rem 0 .75rem; }
button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 5px;
  padding: 0 .6rem; cursor: pointer; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; color: var(--muted); }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td p { margin: 0; }
td:first-child code { white-space: nowrap; }
td[data-label="Client"] { min-width: 9rem; }
.granted { color: var(--good); font-weight: 600; }
.rejected { color: var(--bad); font-weight: 600; }
ul.links { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
@media (max-width: 640px) {
  thead { display: none; }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td { display: block; border: 0; padding: 0; }
  td:first-child code { white-space: normal; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); }
  .command { display: block; }
  .command button { margin-top: .5rem; }
}
`;

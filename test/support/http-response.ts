/** An HTTP/1.1 response as it came over the wire. */
export interface HttpResponse {
  readonly status: number;
  /** By name in any case; repeated ones joined with `, `. */
  readonly headers: Headers;
  /** The lines in the order and the spelling in which they came. */
  readonly headerLines: readonly string[];
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  /** The body as a JSON object; throws where it is something else. */
  readonly json: () => Record<string, unknown>;
}

/** The status line and header lines without the blank line after them, and the body with its chunking undone. */
export function httpResponse(head: string, bodyBytes: Uint8Array): HttpResponse {
  const [statusLine = '', ...headerLines] = head.split(/\r?\n/).filter((line) => line !== '');
  const body = Buffer.from(bodyBytes).toString('utf8');
  const status = Number(statusLine.split(' ')[1]);
  const json = () => jsonObject(body, statusLine);
  return { status, headers: headersOf(headerLines), headerLines, body, bodyBytes, json };
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}

function jsonObject(body: string, statusLine: string): Record<string, unknown> {
  const value: unknown = JSON.parse(body);
  if (typeof value !== 'object' || value === null) throw new Error(`${statusLine}: not a JSON object: ${body}`);
  // Object.entries and fromEntries only tell the type checker what a JSON object is.
  return Object.fromEntries(Object.entries(value));
}

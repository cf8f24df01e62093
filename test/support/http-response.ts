/** An HTTP response as received. */
export interface HttpResponse {
  readonly status: number;
  /** By case-insensitive name; repeated headers are joined with `, `. */
  readonly headers: Headers;
  /** The header lines in the order and spelling received. */
  readonly headerLines: readonly string[];
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  /** The body as a JSON object; throws if it is anything else. */
  readonly json: () => Record<string, unknown>;
}

/**
 * Parses a response.
 *
 * @param head the status line and header lines, without the blank line
 * @param bodyBytes the body, with chunked transfer coding removed
 */
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
  // Only for the type checker: the value is an object already.
  return Object.fromEntries(Object.entries(value));
}

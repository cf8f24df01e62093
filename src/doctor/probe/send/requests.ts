import type { OutgoingHttpHeaders } from 'node:http2';
import { DOCTOR_HEADER } from '../../observer/observe.ts';
import { type Field, type Forgery, lineOf, nothingForged } from '../forgeries/forgery.ts';
import type { TokenEndpoint } from '../routes.ts';
import type { Http2Request } from './http2.ts';

/** Of a client that is not registered: the answer is `invalid_client`, and never a token. */
const form = 'grant_type=client_credentials&client_id=countersign-doctor';
const usual = { 'user-agent': 'countersign-doctor', 'content-type': 'application/x-www-form-urlencoded' };

/**
 * A token request to each endpoint, all but the last one without anything forged and unobserved.
 *
 * @param mark what the last one carries for the observer
 */
function requestsTo<Request>(
  endpoints: readonly TokenEndpoint[],
  forgery: Forgery,
  mark: string,
  write: (endpoint: TokenEndpoint, forgery: Forgery, mark: Field[]) => Request,
): Request[] {
  return endpoints.map((endpoint, index) => {
    const isLast = index === endpoints.length - 1;
    return isLast ? write(endpoint, forgery, [[DOCTOR_HEADER, mark]]) : write(endpoint, nothingForged, []);
  });
}

/** The octets of requests over HTTP/1.1: CRLF after each line, nothing checked. */
export function http1Requests(endpoints: readonly TokenEndpoint[], forgery: Forgery, mark: string): Uint8Array[] {
  return requestsTo(endpoints, forgery, mark, writeHttp1);
}

export function http2Requests(endpoints: readonly TokenEndpoint[], forgery: Forgery, mark: string): Http2Request[] {
  return requestsTo(endpoints, forgery, mark, writeHttp2);
}

function writeHttp1({ authority, path }: TokenEndpoint, { http1, trailer }: Forgery, mark: Field[]): Uint8Array {
  const { first, last } = http1 ?? { first: [], last: [] };
  const own = [`Host: ${authority}`, ...[...Object.entries(usual), ...mark].map(lineOf)];
  const behindBody = trailer === undefined ? [] : last;
  const head = [
    `POST ${path} HTTP/1.1`,
    ...first,
    ...own,
    ...(trailer === undefined ? [...last, `Content-Length: ${form.length}`] : ['Transfer-Encoding: chunked']),
    ...(trailer === 'announced' ? [`Trailer: ${behindBody.map(nameOf).join(', ')}`] : []),
    '',
    '',
  ].join('\r\n');
  const body = trailer === undefined ? form : [form.length.toString(16), form, '0', ...behindBody, '', ''].join('\r\n');
  return Buffer.from(head + body, 'latin1');
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'));
}

function writeHttp2({ authority, path }: TokenEndpoint, { http2, trailer }: Forgery, mark: Field[]): Http2Request {
  const forged = joined(http2 ?? []);
  const headers = { ':method': 'POST', ':scheme': 'https', ':authority': authority, ':path': path, ...usual };
  if (trailer === undefined)
    return { headers: { ...headers, ...joined(mark), ...forged }, body: form, trailers: undefined };
  const announced = { trailer: Object.keys(forged).join(', ') };
  return { headers: { ...headers, ...joined(mark), ...announced }, body: form, trailers: forged };
}

/** Fields of one name together: over HTTP/2 each of the values becomes a field of its own. */
function joined(fields: readonly Field[]): OutgoingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const [name, value] of fields)
    values.set(name.toLowerCase(), [...(values.get(name.toLowerCase()) ?? []), value]);
  return Object.fromEntries(values);
}

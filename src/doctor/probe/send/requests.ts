import type { OutgoingHttpHeaders } from 'node:http2';
import { DOCTOR_HEADER } from '../../observer/observe.ts';
import { type Field, type Forgery, lineOf, nothingForged } from '../forgeries/forgery.ts';
import type { TokenEndpoint } from '../routes.ts';
import type { Http2Request } from './http2.ts';

/** The client is not registered, so the response is `invalid_client` and never contains a token. */
const form = 'grant_type=client_credentials&client_id=countersign-doctor';
const commonFields = { 'user-agent': 'countersign-doctor', 'content-type': 'application/x-www-form-urlencoded' };

/**
 * Writes the requests of one connection over HTTP/1.1, byte for byte. Only the last one is forged and observed.
 *
 * @param tag `{watch id}.{request}`
 */
export function http1Requests(endpoints: readonly TokenEndpoint[], forgery: Forgery, tag: string): Uint8Array[] {
  return writeRequests(endpoints, forgery, tag, writeHttp1);
}

/** The same over HTTP/2. */
export function http2Requests(endpoints: readonly TokenEndpoint[], forgery: Forgery, tag: string): Http2Request[] {
  return writeRequests(endpoints, forgery, tag, writeHttp2);
}

function writeRequests<Request>(
  endpoints: readonly TokenEndpoint[],
  forgery: Forgery,
  tag: string,
  write: (endpoint: TokenEndpoint, forgery: Forgery, tagFields: Field[]) => Request,
): Request[] {
  return endpoints.map((endpoint, index) => {
    const isLast = index === endpoints.length - 1;
    return isLast ? write(endpoint, forgery, [[DOCTOR_HEADER, tag]]) : write(endpoint, nothingForged, []);
  });
}

function writeHttp1({ host, path }: TokenEndpoint, { http1, trailer }: Forgery, tagFields: Field[]): Uint8Array {
  const { first, last } = http1 ?? { first: [], last: [] };
  const hasTrailer = trailer !== undefined;
  const head = [
    `POST ${path} HTTP/1.1`,
    ...first,
    `Host: ${host}`,
    ...[...Object.entries(commonFields), ...tagFields].map(lineOf),
    ...(hasTrailer ? ['Transfer-Encoding: chunked'] : [...last, `Content-Length: ${form.length}`]),
    ...(trailer === 'announced' ? [`Trailer: ${last.map(nameOf).join(', ')}`] : []),
    '',
    '',
  ];
  const body = hasTrailer ? [form.length.toString(16), form, '0', ...last, '', ''] : [form];
  return Buffer.from(head.join('\r\n') + body.join('\r\n'), 'latin1');
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'));
}

function writeHttp2({ host, path }: TokenEndpoint, { http2, trailer }: Forgery, tagFields: Field[]): Http2Request {
  const pseudoHeaders = { ':method': 'POST', ':scheme': 'https', ':authority': host, ':path': path };
  const headers = { ...pseudoHeaders, ...commonFields, ...groupByName(tagFields) };
  const forged = groupByName(http2 ?? []);
  if (trailer === undefined) return { headers: { ...headers, ...forged }, body: form, trailers: undefined };
  const announcement = { trailer: Object.keys(forged).join(', ') };
  return { headers: { ...headers, ...announcement }, body: form, trailers: forged };
}

/** Each value of a name becomes a field of its own in HTTP/2. */
function groupByName(fields: readonly Field[]): OutgoingHttpHeaders {
  const groups = Map.groupBy(fields, ([name]) => name.toLowerCase());
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.map(([, value]) => value)]));
}

import type { OutgoingHttpHeaders } from 'node:http2';
import { DOCTOR_HEADER } from '../../observer/observe.ts';
import { type Field, type Forgery, lineOf, nothingForged } from '../forgeries/forgery.ts';
import type { TokenEndpoint } from '../routes.ts';
import type { Http2Request } from './http2.ts';

/** What a request contains besides its forgery. */
interface Message {
  readonly fields: readonly Field[];
  readonly body: string;
}

const commonFields: readonly Field[] = [
  ['user-agent', 'countersign-doctor'],
  ['content-type', 'application/x-www-form-urlencoded'],
];

/** The client is not registered, so the response is `invalid_client` and never contains a token. */
const tokenRequest: Message = {
  fields: commonFields,
  body: 'grant_type=client_credentials&client_id=countersign-doctor',
};

/** To a protected URL. Its query has the tag. */
export function protectedRequest(token: string | undefined): Message {
  const authorization: Field[] = token === undefined ? [] : [['authorization', `Bearer ${token}`]];
  return { fields: [...commonFields, ...authorization], body: 'a=b' };
}

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
  write: (endpoint: TokenEndpoint, forgery: Forgery, message: Message) => Request,
): Request[] {
  return endpoints.map((endpoint, index) => {
    const isLast = index === endpoints.length - 1;
    if (!isLast) return write(endpoint, nothingForged, tokenRequest);
    return write(endpoint, forgery, { ...tokenRequest, fields: [...tokenRequest.fields, [DOCTOR_HEADER, tag]] });
  });
}

/** One request, byte for byte. */
export function writeHttp1({ host, path }: TokenEndpoint, forgery: Forgery, { fields, body }: Message): Uint8Array {
  const { http1, trailer } = forgery;
  const { first, last } = http1 ?? { first: [], last: [] };
  const hasTrailer = trailer !== undefined;
  const head = [
    `POST ${path} HTTP/1.1`,
    ...first,
    `Host: ${host}`,
    ...fields.map(lineOf),
    ...(hasTrailer ? ['Transfer-Encoding: chunked'] : [...last, `Content-Length: ${body.length}`]),
    ...(trailer === 'announced' ? [`Trailer: ${last.map(nameOf).join(', ')}`] : []),
    '',
    '',
  ];
  const content = hasTrailer ? [body.length.toString(16), body, '0', ...last, '', ''] : [body];
  return Buffer.from(head.join('\r\n') + content.join('\r\n'), 'latin1');
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'));
}

export function writeHttp2({ host, path }: TokenEndpoint, forgery: Forgery, { fields, body }: Message): Http2Request {
  const { http2, trailer } = forgery;
  const pseudoHeaders = { ':method': 'POST', ':scheme': 'https', ':authority': host, ':path': path };
  const headers = { ...pseudoHeaders, ...groupByName(fields) };
  const forged = groupByName(http2 ?? []);
  if (trailer === undefined) return { headers: { ...headers, ...forged }, body, trailers: undefined };
  const announcement = { trailer: Object.keys(forged).join(', ') };
  return { headers: { ...headers, ...announcement }, body, trailers: forged };
}

/** Each value of a name becomes a field of its own in HTTP/2. */
function groupByName(fields: readonly Field[]): OutgoingHttpHeaders {
  const groups = Map.groupBy(fields, ([name]) => name.toLowerCase());
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.map(([, value]) => value)]));
}

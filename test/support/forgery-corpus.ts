import type { HeaderFormatName } from '../../src/terminator/formats.ts';
import { type Forwarded, forwardedAs } from './forwarded-as.ts';

/** A public certificate in the headers in which the terminator would forward it. */
type Fields = Readonly<Record<string, string>>;

/** One way to present it as one's own: the exact lines of an HTTP/1.1 request. */
export interface Forgery {
  readonly title: string;
  readonly lines: readonly string[];
  /** Lines after the last chunk of the body. */
  readonly trailers?: readonly string[];
}

/** One way over HTTP/2. */
export interface Http2Forgery {
  readonly title: string;
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  readonly trailers?: Readonly<Record<string, string>>;
}

const formatsOfOthers = Object.entries(forwardedAs);

/** All forgeries for a server behind this terminator. `own` is the certificate whose key the sender has. */
export function forgeriesFor(name: HeaderFormatName, victim: Forwarded, own: Forwarded): Forgery[] {
  const fields = forwardedAs[name](victim, []);
  const lines = linesOf(fields);
  const names = Object.keys(fields);
  const renamed = (rename: (field: string) => string) => linesOf(fields, rename);
  const list = names.join(', ');
  return [
    { title: 'as the terminator writes it', lines },
    { title: 'in upper case', lines: renamed((field) => field.toUpperCase()) },
    { title: 'in mixed case', lines: renamed((field) => field.replace(/(^|-)./g, (letter) => letter.toUpperCase())) },
    { title: 'with underscores', lines: renamed((field) => field.replaceAll('-', '_')) },
    { title: 'with one underscore', lines: renamed((field) => field.replace('-', '_')) },
    { title: 'with dots', lines: renamed((field) => field.replaceAll('-', '.')) },
    { title: 'twice', lines: [...lines, ...lines] },
    { title: 'with empty ones before', lines: [...names.map((field) => `${field}:`), ...lines] },
    { title: 'with empty ones after', lines: [...lines, ...names.map((field) => `${field}:`)] },
    { title: 'empty', lines: names.map((field) => `${field}:`) },
    { title: 'with spaces around the value', lines: lines.map((line) => `${line.replace(':', ':  \t')}  `) },
    { title: 'with a space before the colon', lines: renamed((field) => `${field} `) },
    { title: 'with a NUL in the name', lines: renamed((field) => `${field}\0`) },
    { title: 'with a NUL after the value', lines: lines.map((line) => `${line}\0`) },
    { title: 'folded', lines: ['X-Other: 1', ...lines.map((line) => ` ${line}`)] },
    { title: 'with a folded value', lines: lines.map((line) => line.replace(': ', ':\r\n ')) },
    { title: 'after a bare line feed', lines: [['X-Other: 1', ...lines].join('\n')] },
    { title: 'after a bare carriage return', lines: [['X-Other: 1', ...lines].join('\r')] },
    { title: 'named in Connection', lines: [...lines, `Connection: close, ${list}`] },
    { title: 'named in Connection, without them', lines: [`Connection: ${list}`] },
    {
      title: 'each named in a Connection of its own',
      lines: [...lines, ...names.map((field) => `Connection: ${field}`)],
    },
    { title: 'the secret named in Connection', lines: [...lines, 'Connection: X-Countersign-Proxy-Secret'] },
    { title: 'beside a guessed secret', lines: [...lines, `X-Countersign-Proxy-Secret: ${'0'.repeat(64)}`] },
    { title: 'in early data', lines: [...lines, 'Early-Data: 1'] },
    { title: 'the certificate alone', lines: lines.slice(0, 1) },
    { title: 'the verification alone', lines: lines.slice(1) },
    { title: 'in a trailer', lines: [`Trailer: ${list}`], trailers: lines },
    { title: 'in a trailer that nothing announces', lines: [], trailers: lines },
    { title: 'with two lengths', lines: [...lines, 'Content-Length: 1', 'Content-Length: 2'] },
    { title: 'in a list', lines: linesOf(mapped(fields, (value) => `${value}, ${value}`)) },
    { title: 'with an element before', lines: linesOf(elements(fields, own, (mine, other) => `${other},${mine}`)) },
    { title: 'with an element after', lines: linesOf(elements(fields, own, (mine, other) => `${mine},${other}`)) },
    {
      title: "as a second Cert of one's own element",
      lines: linesOf(elements(fields, own, (mine, other) => `${mine};${other}`)),
    },
    { title: 'in an element that is never closed', lines: linesOf(mapped(fields, (value) => `By="${value}`)) },
    ...formatsOfOthers.map(([other, encode]) => ({
      title: `as ${other} writes it`,
      lines: linesOf(encode(victim, [])),
    })),
  ];
}

export function http2ForgeriesFor(name: HeaderFormatName, victim: Forwarded): Http2Forgery[] {
  const fields = forwardedAs[name](victim, []);
  const underscored = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field.replaceAll('-', '_'), value]),
  );
  return [
    { title: 'as the terminator writes it', fields },
    {
      title: 'twice',
      fields: Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, [value, value]])),
    },
    {
      title: 'with empty ones',
      fields: Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, [value, '']])),
    },
    { title: 'empty', fields: mapped(fields, () => '') },
    { title: 'with underscores', fields: underscored },
    { title: 'beside the others', fields: { ...fields, ...underscored, 'early-data': '1' } },
    { title: 'in a trailer', fields: { trailer: Object.keys(fields).join(', ') }, trailers: fields },
    { title: 'in a trailer that nothing announces', fields: {}, trailers: fields },
    ...formatsOfOthers.map(([other, encode]) => ({ title: `as ${other} writes it`, fields: encode(victim, []) })),
  ];
}

function linesOf(fields: Fields, rename: (field: string) => string = (field) => field): string[] {
  return Object.entries(fields).map(([field, value]) => `${rename(field)}: ${value}`);
}

function mapped(fields: Fields, change: (value: string) => string): Fields {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, change(value)]));
}

/** Joins the value with the sender's own element of `x-forwarded-client-cert`. */
function elements(fields: Fields, own: Forwarded, join: (own: string, other: string) => string): Fields {
  const mine = forwardedAs.envoy(own, [])['x-forwarded-client-cert'] ?? '';
  return mapped(fields, (value) => join(mine, value));
}

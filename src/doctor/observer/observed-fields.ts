import { createHash } from 'node:crypto';
import type { HeaderFields } from '../../http/header-fields.ts';
import { parseCertificateStructure } from '../../pki/certificate/structure.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';
import type { HeaderFormat } from '../../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats, knownHeaders } from '../../terminator/formats.ts';
import { forwardedHeaders, type Terminator } from '../../terminator/terminator.ts';
import { PROXY_SECRET_HEADER } from '../../terminator/trusted-proxy.ts';

/** A header field that the terminator writes, or that a client sent in its place. */
export interface ObservedField {
  /** In the case in which it arrived. */
  readonly name: string;
  /** Length of the value. */
  readonly bytes: number;
  /** Its first 120 characters; redacted for the proxy secret. */
  readonly value: string;
  /** base64url SHA-256 of the whole value, to compare it with what was sent; redacted for the proxy secret. */
  readonly digest: string;
  /** The certificate in the value, whether or not the server is configured to read this field. */
  readonly certificate?: RecognizedCertificate;
}

export interface RecognizedCertificate {
  /** Every format whose encoding the value has. */
  readonly formats: readonly HeaderFormatName[];
  readonly thumbprint: string;
}

const MAX_FIELDS = 64;
const MAX_CHARACTERS = 120;
const REDACTED = '(redacted)';
const transportFields = ['host', 'connection', 'early-data', 'trailer'];

/** The fields that concern certificates and the proxy, in any spelling; at most 64 of them. */
export function observedFields(headers: HeaderFields, terminator: Terminator): ObservedField[] {
  const names = new Set([...knownHeaders, ...forwardedHeaders(terminator), ...transportFields, PROXY_SECRET_HEADER]);
  const fields: ObservedField[] = [];
  for (const [name, value] of headers.lines()) {
    if (fields.length === MAX_FIELDS) break;
    // Other spellings are observed as well: some proxies and frameworks treat them as the same field.
    const normalized = normalizedName(name);
    const certificate = recognizeCertificate(value);
    // A certificate in an unknown field is what arrives when the proxy's configuration misspells the name.
    if (!names.has(normalized) && certificate === undefined) continue;
    fields.push(observedField(name, value, normalized === PROXY_SECRET_HEADER, certificate));
  }
  return fields;
}

/** In lower case, with `-` for `.` and `_`, which some servers read as the same. */
export function normalizedName(name: string): string {
  return name.toLowerCase().replace(/[._]/g, '-');
}

export function observedField(
  name: string,
  value: string,
  isSecret: boolean,
  certificate: RecognizedCertificate | undefined,
): ObservedField {
  const field = { name: name.slice(0, MAX_CHARACTERS), bytes: value.length };
  if (isSecret) return { ...field, value: REDACTED, digest: REDACTED };
  const start = value.slice(0, MAX_CHARACTERS);
  return { ...field, value: start, digest: digestOf(value), ...(certificate && { certificate }) };
}

/** base64url SHA-256 of a field value in which each character is one byte (latin1). */
export function digestOf(value: string): string {
  return createHash('sha256').update(value, 'latin1').digest('base64url');
}

const SHORTEST_CERTIFICATE = 200;

export function recognizeCertificate(value: string): RecognizedCertificate | undefined {
  if (value.length < SHORTEST_CERTIFICATE) return undefined;
  const thumbprints = headerFormatNames.map((name) => [name, thumbprintIn(value, headerFormats[name])] as const);
  const [, thumbprint] = thumbprints.find(([, found]) => found !== undefined) ?? [];
  if (thumbprint === undefined) return undefined;
  return { formats: thumbprints.filter(([, found]) => found === thumbprint).map(([name]) => name), thumbprint };
}

function thumbprintIn(value: string, { decode }: HeaderFormat): string | undefined {
  try {
    const { leaf } = decode(value);
    // Any base64 text decodes, including another application's secret. Only certificates are public.
    parseCertificateStructure(leaf);
    return sha256Thumbprint(leaf);
  } catch {
    // Another format, or not a certificate. This only describes the value; the request is decided elsewhere.
    return undefined;
  }
}

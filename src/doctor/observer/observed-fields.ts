import { createHash } from 'node:crypto';
import { parseCertificateStructure } from '../../pki/certificate/structure.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';
import type { HeaderFormat } from '../../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats, knownHeaders } from '../../terminator/formats.ts';
import type { RawHeaders } from '../../terminator/raw-headers.ts';
import { forwardedHeaders, type Terminator } from '../../terminator/terminator.ts';
import { PROXY_SECRET_HEADER } from '../../terminator/trusted-proxy.ts';

/** A field that a terminator may have written, or a client in its place. */
export interface ObservedField {
  /** As it was spelled. */
  readonly name: string;
  readonly octets: number;
  /** Its beginning; nothing of a secret. */
  readonly value: string;
  /** base64url SHA-256 of the whole value, to tell whose it is. */
  readonly digest: string;
  /** The certificate that it holds, in the encoding of these formats, whether or not this server is to read it. */
  readonly certificate?: HeldCertificate;
}

export interface HeldCertificate {
  readonly formats: readonly HeaderFormatName[];
  readonly thumbprint: string;
}

const MAX_FIELDS = 64;
const MAX_SHOWN = 120;
const alsoShown = ['host', 'connection', 'early-data', 'trailer'];

/** Of a request's fields those that concern certificates and the proxy, under any spelling; at most 64 of them. */
export function observedFields(headers: RawHeaders, terminator: Terminator): ObservedField[] {
  const shown = new Set([...knownHeaders, ...forwardedHeaders(terminator), ...alsoShown, PROXY_SECRET_HEADER]);
  const fields: ObservedField[] = [];
  for (let i = 0; i + 1 < headers.length && fields.length < MAX_FIELDS; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    // What a client spells otherwise is shown as well: some proxies and frameworks take it for the same.
    const alike = name.toLowerCase().replace(/[._]/g, '-');
    const certificate = heldCertificate(value);
    // A certificate under a name that no format has is what a proxy sends when a name is misspelled.
    if (!shown.has(alike) && certificate === undefined) continue;
    fields.push(observedField(name, value, alike === PROXY_SECRET_HEADER, certificate));
  }
  return fields;
}

function observedField(
  name: string,
  value: string,
  isSecret: boolean,
  certificate: HeldCertificate | undefined,
): ObservedField {
  const spelled = name.slice(0, MAX_SHOWN);
  if (isSecret) return { name: spelled, octets: value.length, value: '(not shown)', digest: '(not shown)' };
  const digest = digestOf(value);
  const beginning = value.slice(0, MAX_SHOWN);
  return { name: spelled, octets: value.length, value: beginning, digest, ...(certificate && { certificate }) };
}

/** base64url SHA-256 of a field's value, in which a character is an octet. */
export function digestOf(value: string): string {
  return createHash('sha256').update(value, 'latin1').digest('base64url');
}

const SHORTEST_CERTIFICATE = 200;

function heldCertificate(value: string): HeldCertificate | undefined {
  if (value.length < SHORTEST_CERTIFICATE) return undefined;
  const thumbprints = headerFormatNames.map((name) => [name, thumbprintIn(value, headerFormats[name])] as const);
  const [, thumbprint] = thumbprints.find(([, found]) => found !== undefined) ?? [];
  if (thumbprint === undefined) return undefined;
  return { formats: thumbprints.filter(([, found]) => found === thumbprint).map(([name]) => name), thumbprint };
}

function thumbprintIn(value: string, { decode }: HeaderFormat): string | undefined {
  try {
    const { leaf } = decode(value);
    // Any text in base64 decodes, also a secret of somebody else's: only a certificate is public.
    parseCertificateStructure(leaf);
    return sha256Thumbprint(leaf);
  } catch {
    // Not this format's, or no certificate: it is only looked at, and the request's fate is decided elsewhere.
    return undefined;
  }
}

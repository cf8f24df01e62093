import type { HeaderFormat } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import { type ConfiguredFields, capitalize, type ForgedFields, fieldsOfFormat, forgedFields } from './forged-fields.ts';
import { type Field, type Forgery, fields, lineOf, lines } from './forgery.ts';

/** DER. */
export interface ForgedCertificates {
  /** The certificate of the forged headers. */
  readonly forged: Uint8Array;
  /** The certificate presented in the handshake. */
  readonly own: Uint8Array;
}

/** Every forgery, for direct routes. */
export function forgeriesFor(configured: ConfiguredFields, certificates: ForgedCertificates): Forgery[] {
  const forged = forgedFields(configured, certificates.forged);
  const otherFormats = headerFormatNames.filter((name) => name !== configured.terminator);
  return [
    ...writtenInEveryWay(forged.all),
    ...verificationNamedInConnection(forged),
    ...partial(forged),
    ...formatSpecific(configured.terminator, forged, certificates),
    ...otherFormats.map((name) => inOtherFormat(name, certificates)),
  ];
}

/** Every way to write fields, whatever they mean. */
export function writtenInEveryWay(all: readonly Field[]): Forgery[] {
  return [
    ...namedOtherwise(all),
    ...repeated(all),
    ...malformedLines(all),
    ...inTrailers(all),
    ...allNamedInConnection(all),
  ];
}

/** The forgery for routes where only the route matters, not how the fields are written. */
export function exactForgery(configured: ConfiguredFields, { forged }: ForgedCertificates): Forgery {
  return exact(forgedFields(configured, forged).all);
}

function exact(all: readonly Field[]): Forgery {
  return fields('exact', 'as the proxy writes it', all);
}

function namedOtherwise(all: readonly Field[]): Forgery[] {
  const mixedCase = (name: string) =>
    name.replace(/./g, (letter, index) => (index % 2 ? letter.toUpperCase() : letter.toLowerCase()));
  const renamedFields = (name: string, title: string, rename: Rename) => fields(name, title, renameAll(all, rename));
  const renamedLines = (name: string, title: string, rename: Rename) =>
    lines(name, title, renameAll(all, rename).map(lineOf));
  return [
    exact(all),
    renamedLines('lower_case', 'in lower case', lowerCase),
    renamedLines('upper_case', 'in upper case', (name) => name.toUpperCase()),
    renamedLines('mixed_case', 'in mixed case', mixedCase),
    renamedFields('underscores', 'with underscores', (name) => name.replaceAll('-', '_')),
    renamedFields('one_underscore', 'with one underscore', (name) => name.replace(/-([^-]*)$/, '_$1')),
    renamedFields('dots', 'with dots', (name) => name.replaceAll('-', '.')),
    renamedLines('not_ascii', 'with a non-ASCII character', (name) => `${name}\xa0`),
  ];
}

type Rename = (name: string) => string;

const lowerCase: Rename = (name) => name.toLowerCase();

function renameAll(all: readonly Field[], rename: Rename): Field[] {
  return all.map(([name, value]) => [rename(name), value]);
}

function repeated(all: readonly Field[]): Forgery[] {
  const allLines = all.map(lineOf);
  const empty = all.map(([name]): Field => [name, '']);
  return [
    lines('first', 'before all other fields', [], allLines),
    lines('first_and_last', 'before and after all other fields', allLines, allLines),
    fields('twice', 'twice', [...all, ...all]),
    lines('twice_in_two_cases', 'twice, in two cases', [...allLines, ...renameAll(all, lowerCase).map(lineOf)]),
    fields('empty_before', 'after empty ones', [...empty, ...all]),
    fields('empty_after', 'before empty ones', [...all, ...empty]),
  ];
}

/** Forbidden by RFC 9112 §2.2, §5.1 and §5.2, but accepted by some parsers. */
function malformedLines(all: readonly Field[]): Forgery[] {
  const allLines = all.map(lineOf);
  const written = (name: string, title: string, write: (field: Field) => string) => lines(name, title, all.map(write));
  return [
    written('spaces_around', 'with spaces around the value', ([name, value]) => `${name}:  \t ${value} \t `),
    written('space_before_colon', 'with a space before the colon', ([name, value]) => `${name} : ${value}`),
    written('tab_before_colon', 'with a tab before the colon', ([name, value]) => `${name}\t: ${value}`),
    lines('folded', 'folded into another field', ['X-Other: 1', ...allLines.map((line) => ` ${line}`)]),
    lines('folded_with_tab', 'folded with a tab', ['X-Other: 1', ...allLines.map((line) => `\t${line}`)]),
    written('value_folded', 'with a folded value', ([name, value]) => `${name}:\r\n ${value}`),
    lines('bare_line_feed', 'after a bare line feed', [['X-Other: 1', ...allLines].join('\n')]),
    lines('bare_carriage_return', 'after a bare carriage return', [['X-Other: 1', ...allLines].join('\r')]),
  ];
}

function inTrailers(all: readonly Field[]): Forgery[] {
  const unannounced = lines('unannounced_trailer', 'in an unannounced trailer', all.map(lineOf));
  return [
    { ...fields('trailer', 'in a trailer', all), trailer: 'announced' },
    { ...unannounced, trailer: 'unannounced' },
  ];
}

/** Some proxies delete the fields that `Connection` names, including those that they set (RFC 9110 §7.6.1). */
function allNamedInConnection(all: readonly Field[]): Forgery[] {
  const named = connection(namesOf(all));
  return [
    lines('in_connection', 'and named in Connection', [...all.map(lineOf), named]),
    lines('only_in_connection', 'not sent, and named in Connection', [named]),
  ];
}

const connection = (names: readonly string[]) => `Connection: ${names.join(', ')}`;
const namesOf = (some: readonly Field[]) => some.map(([name]) => name);

function verificationNamedInConnection({ all, certificate, verification }: ForgedFields): Forgery[] {
  const allLines = all.map(lineOf);
  const verificationNamed = connection(['close', ...namesOf(verification)]);
  const ofVerification = [
    lines('verification_in_connection', 'and the verification named in Connection', [...allLines, verificationNamed]),
    lines('only_verification_in_connection', 'not sent, and the verification named in Connection', [verificationNamed]),
  ];
  return [
    ...(verification.length > 0 ? ofVerification : []),
    lines('secret_in_connection', 'and the proxy secret named in Connection', [
      lineOf(certificate),
      ...verification.map(lineOf),
      connection([PROXY_SECRET_HEADER]),
    ]),
  ];
}

const GUESSED_SECRET = '0'.repeat(64);

function partial({ all, certificate, chain, verification }: ForgedFields): Forgery[] {
  const emptyCertificate: Field = [certificate[0], ''];
  const ofVerification = [
    fields('verification_alone', 'the verification alone', verification),
    fields('empty_certificate', 'the verification, and an empty certificate', [emptyCertificate, ...verification]),
  ];
  const withSecret: Field[] = [...all, [capitalize(PROXY_SECRET_HEADER), GUESSED_SECRET]];
  return [
    fields('certificate_alone', 'the certificate alone', [certificate]),
    ...(verification.length > 0
      ? ofVerification
      : [fields('empty_certificate', 'an empty certificate', [emptyCertificate])]),
    ...(chain.length > 0 ? [fields('chain_alone', 'in the chain alone', [...chain, ...verification])] : []),
    fields('guessed_secret', 'with a guessed proxy secret', withSecret),
  ];
}

/** Values that only the grammar of the configured format allows, such as a second list element. */
function formatSpecific(
  terminator: HeaderFormatName,
  { certificate, verification }: ForgedFields,
  { forged, own }: ForgedCertificates,
): Forgery[] {
  const { forgedValues }: HeaderFormat = headerFormats[terminator];
  return (forgedValues?.(forged, own) ?? []).map(({ name, title, value }) => {
    return fields(name, title, [[certificate[0], value], ...verification]);
  });
}

/** The server never reads the fields of other formats, so these may arrive. */
function inOtherFormat(name: HeaderFormatName, { forged }: ForgedCertificates): Forgery {
  const ofFormat = fieldsOfFormat(name, forged);
  return { ...fields(`as_${name.replaceAll('-', '_')}`, `as ${name} writes it`, ofFormat), family: 'other_format' };
}

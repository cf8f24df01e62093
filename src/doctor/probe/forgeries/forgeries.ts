import type { HeaderFormat } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import {
  type ConfiguredFields,
  capitalized,
  type ForgedCertificates,
  type ForgedFields,
  fieldsOfFormat,
  forgedFields,
} from './fields.ts';
import { type Field, type Forgery, fields, lineOf, lines } from './forgery.ts';

/** Every forgery that is tried on each route. */
export function forgeriesFor(configured: ConfiguredFields, certificates: ForgedCertificates): Forgery[] {
  const forged = forgedFields(configured, certificates.victim);
  return [
    ...spellings(forged.all),
    ...repetitions(forged.all),
    ...malformedLines(forged.all),
    ...trailers(forged.all),
    ...inConnection(forged),
    ...parts(forged),
    ...formatSpecific(configured, certificates),
    ...headerFormatNames.filter((name) => name !== configured.terminator).map((name) => asFormat(name, certificates)),
  ];
}

/** As the proxy writes them: the one to try where it matters how the request comes, and not how it is spelled. */
export function plainForgery(configured: ConfiguredFields, { victim }: ForgedCertificates): Forgery {
  return fields('exact', 'as the proxy writes it', forgedFields(configured, victim).all);
}

function renamed(forged: readonly Field[], rename: (name: string) => string): Field[] {
  return forged.map(([name, value]) => [rename(name), value]);
}

const lowerCase = (name: string) => name.toLowerCase();

function spellings(all: readonly Field[]): Forgery[] {
  const mixed = (name: string) =>
    name.replace(/./g, (letter, at) => (at % 2 ? letter.toUpperCase() : letter.toLowerCase()));
  const inCase = (name: string, title: string, rename: (name: string) => string) => {
    return lines(name, title, renamed(all, rename).map(lineOf));
  };
  return [
    fields('exact', 'as the proxy writes it', all),
    inCase('lower_case', 'in lower case', lowerCase),
    inCase('upper_case', 'in upper case', (name) => name.toUpperCase()),
    inCase('mixed_case', 'in mixed case', mixed),
    fields(
      'underscores',
      'with underscores',
      renamed(all, (name) => name.replaceAll('-', '_')),
    ),
    fields(
      'one_underscore',
      'with one underscore',
      renamed(all, (name) => name.replace(/-([^-]*)$/, '_$1')),
    ),
    fields(
      'dots',
      'with dots',
      renamed(all, (name) => name.replaceAll('-', '.')),
    ),
    lines('not_ascii', 'with a character beyond ASCII', renamed(all, (name) => `${name}\xa0`).map(lineOf)),
  ];
}

function repetitions(all: readonly Field[]): Forgery[] {
  const written = all.map(lineOf);
  const empty = all.map(([name]): Field => [name, '']);
  return [
    lines('first', 'before all other fields', [], written),
    lines('first_and_last', 'before and after all other fields', written, written),
    fields('twice', 'twice', [...all, ...all]),
    lines('twice_in_two_cases', 'twice, in two cases', [...written, ...renamed(all, lowerCase).map(lineOf)]),
    fields('empty_before', 'with empty ones before', [...empty, ...all]),
    fields('empty_after', 'with empty ones after', [...all, ...empty]),
  ];
}

/** What RFC 9112 §2.2, §5.1 and §5.2 forbid, and some parsers take. */
function malformedLines(all: readonly Field[]): Forgery[] {
  const written = all.map(lineOf);
  const spelled = (spell: (field: Field) => string) => all.map(spell);
  return [
    lines(
      'spaces_around',
      'with spaces around the value',
      spelled(([name, value]) => `${name}:  \t ${value} \t `),
    ),
    lines(
      'space_before_colon',
      'with a space before the colon',
      spelled(([name, value]) => `${name} : ${value}`),
    ),
    lines(
      'tab_before_colon',
      'with a tab before the colon',
      spelled(([name, value]) => `${name}\t: ${value}`),
    ),
    lines('folded', 'folded into another field', ['X-Other: 1', ...written.map((line) => ` ${line}`)]),
    lines('folded_with_tab', 'folded with a tab', ['X-Other: 1', ...written.map((line) => `\t${line}`)]),
    lines(
      'value_folded',
      'with a folded value',
      spelled(([name, value]) => `${name}:\r\n ${value}`),
    ),
    lines('bare_line_feed', 'after a bare line feed', [['X-Other: 1', ...written].join('\n')]),
    lines('bare_carriage_return', 'after a bare carriage return', [['X-Other: 1', ...written].join('\r')]),
  ];
}

function trailers(all: readonly Field[]): Forgery[] {
  return [
    { ...fields('trailer', 'in a trailer', all), trailer: 'announced' },
    { ...lines('unannounced_trailer', 'in a trailer that nothing announces', all.map(lineOf)), trailer: 'unannounced' },
  ];
}

/** Some proxies delete what `Connection` names, also what they have set themselves (RFC 9110 §7.6.1). */
function inConnection({ all, certificate, verdict }: ForgedFields): Forgery[] {
  const naming = (named: readonly string[]) => `Connection: ${named.join(', ')}`;
  const names = (some: readonly Field[]) => some.map(([name]) => name);
  return [
    lines('in_connection', 'and named in Connection', [...all.map(lineOf), naming(names(all))]),
    lines('only_in_connection', 'not sent, and named in Connection', [naming(names(all))]),
    ...(verdict.length > 0
      ? [
          lines('verdict_in_connection', 'and the verdict named in Connection', [
            ...all.map(lineOf),
            naming(['close', ...names(verdict)]),
          ]),
          lines('only_verdict_in_connection', 'not sent, and the verdict named in Connection', [
            naming(['close', ...names(verdict)]),
          ]),
        ]
      : []),
    lines('secret_in_connection', 'and the proxy secret named in Connection', [
      lineOf(certificate),
      ...verdict.map(lineOf),
      naming([PROXY_SECRET_HEADER]),
    ]),
  ];
}

const GUESS = '0'.repeat(64);

function parts({ all, certificate, chain, verdict }: ForgedFields): Forgery[] {
  const without = (name: string): Field => [name, ''];
  return [
    fields('certificate_alone', 'the certificate alone', [certificate]),
    ...(verdict.length > 0
      ? [
          fields('verdict_alone', 'the verdict alone', verdict),
          fields('empty_certificate', 'the verdict, and an empty certificate', [without(certificate[0]), ...verdict]),
        ]
      : [fields('empty_certificate', 'an empty certificate', [without(certificate[0])])]),
    ...(chain.length > 0 ? [fields('chain_alone', 'in the chain alone', [...chain, ...verdict])] : []),
    fields('guessed_secret', 'beside a guessed proxy secret', [...all, [capitalized(PROXY_SECRET_HEADER), GUESS]]),
  ];
}

/** Only the grammar of some formats, such as a list of elements, allows these. */
function formatSpecific(configured: ConfiguredFields, { victim, own }: ForgedCertificates): Forgery[] {
  const { forgedValues }: HeaderFormat = headerFormats[configured.terminator];
  const { certificate, verdict } = forgedFields(configured, victim);
  return (forgedValues?.(victim, own) ?? []).map(({ name, title, value }) => {
    return fields(name, title, [[certificate[0], value], ...verdict]);
  });
}

/** In the fields of another format, which are never read: it does not matter whether they arrive. */
function asFormat(name: HeaderFormatName, { victim }: ForgedCertificates): Forgery {
  const forged = fieldsOfFormat(name, victim);
  return { ...fields(`as_${name.replaceAll('-', '_')}`, `as ${name} writes it`, forged), family: 'other_format' };
}

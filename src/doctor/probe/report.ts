import { printable } from '../../text.ts';
import type { Observation } from '../observer/observe.ts';
import type { ObservedField } from '../observer/observed-fields.ts';
import { fieldsRead } from './conclude/fixes.ts';
import type { ForgeryOutcome } from './conclude/judge-forgery.ts';
import type { Arrival, Examination, ForgeryReport, HandshakeReport } from './examination.ts';
import { nameOwn } from './identity.ts';

/** In the cells of the table, and what it means. */
const words: Readonly<Record<ForgeryOutcome, readonly [word: string, meaning: string]>> = {
  got_through: ['THROUGH', 'it was believed'],
  ignored: ['ignored', 'it arrived, and was not believed'],
  removed: ['removed', 'the proxy took it away, or put its own in the place'],
  refused_by_server: ['refused', 'Countersign refused the request'],
  refused_by_proxy: ['stopped', 'the proxy refused the request, or the server unread; a number is the status'],
  not_seen: ['unseen', 'nobody whom we ask has seen the request'],
};

const columns = [
  { protocol: 'http/1.1', certificate: 'none', title: 'HTTP/1.1' },
  { protocol: 'http/1.1', certificate: 'own', title: '+ own' },
  { protocol: 'http/1.1', certificate: 'stranger', title: '+ other' },
  { protocol: 'h2', certificate: 'none', title: 'HTTP/2' },
  { protocol: 'h2', certificate: 'own', title: '+ own' },
  { protocol: 'h2', certificate: 'stranger', title: '+ other' },
] as const;

/** One line for each forgery; a table for each of the server's URLs, where they differ. */
export function forgerySections(forgeries: readonly ForgeryReport[]): Section[] {
  const isStraight = ({ route }: ForgeryReport) => route === 'mutual_tls' || route === 'issuer';
  const straight = forgeries.filter(isStraight);
  const tables = [...Map.groupBy(straight, ({ route_title }) => route_title)].map(([url, some]) => {
    return { heading: `A forged certificate at ${url}, …`, tables: [spellingTable(some)] };
  });
  const [first] = tables;
  const alike = first && tables.every((table) => JSON.stringify(table.tables) === JSON.stringify(first.tables));
  return [
    ...(alike ? [{ ...first, heading: 'A forged certificate …' }] : tables),
    { heading: '… written as the proxy does, with …', tables: [wayTable(forgeries.filter((one) => !isStraight(one)))] },
    { heading: 'In these tables', tables: [legend(forgeries)] },
  ];
}

type Column = (typeof columns)[number];

function isIn({ protocol, certificate }: Column, forgery: ForgeryReport): boolean {
  return forgery.protocol === protocol && forgery.certificate === certificate;
}

function spellingTable(forgeries: readonly ForgeryReport[]): Table {
  const used = columnsOf(forgeries);
  const rowsOf = (family: ForgeryReport['family']) => {
    const titles = Map.groupBy(
      forgeries.filter((forgery) => forgery.family === family),
      ({ title }) => title,
    );
    return [...titles].map(([title, some]) => [title, ...cellsOf(some, used)]);
  };
  return [headerOf(used), ...rowsOf('spelling'), ...collapsed(rowsOf('other_format'))];
}

function wayTable(forgeries: readonly ForgeryReport[]): Table {
  const used = columnsOf(forgeries);
  const ways = [...Map.groupBy(forgeries, ({ route_title }) => route_title)];
  return [headerOf(used), ...ways.map(([title, some]) => [title, ...cellsOf(some, used)])];
}

function columnsOf(forgeries: readonly ForgeryReport[]): readonly Column[] {
  return columns.filter((column) => forgeries.some((forgery) => isIn(column, forgery)));
}

function headerOf(used: readonly Column[]): string[] {
  return ['', ...used.map(({ title }) => title)];
}

function cellsOf(forgeries: readonly ForgeryReport[], used: readonly Column[]): string[] {
  return used.map((column) => cellOf(forgeries.find((forgery) => isIn(column, forgery))));
}

function cellOf(forgery: ForgeryReport | undefined): string {
  if (forgery === undefined) return '–';
  if (forgery.outcome === 'refused_by_proxy' && forgery.status !== null) return String(forgery.status);
  return words[forgery.outcome][0];
}

/** A dozen lines that say the same are one. */
function collapsed(rows: readonly (readonly string[])[]): Table {
  const [first] = rows;
  const different = new Set(rows.map(([, ...cells]) => cells.join(' ')));
  if (!first || rows.length < 2 || different.size > 1) return rows;
  return [[`as each of ${rows.length} other terminators writes it`, ...first.slice(1)]];
}

function legend(forgeries: readonly ForgeryReport[]): string[][] {
  const occurring = new Set(forgeries.map(({ outcome }) => outcome));
  const meanings = Object.entries(words).filter(([outcome]) => [...occurring].some((one) => one === outcome));
  return [
    ...meanings.map(([, [word, meaning]]) => [word, meaning]),
    ['+ own', 'with the certificate in the handshake that is shown above'],
    ...(forgeries.some(({ certificate }) => certificate === 'stranger')
      ? [['+ other', 'with a self-signed certificate in the handshake, which was made for this run']]
      : []),
  ];
}

/** A part of the report: tables under a heading. */
export interface Section {
  readonly heading: string;
  readonly tables: readonly Table[];
}

export type Table = readonly (readonly string[])[];

/** What arrived, trusted proxy by trusted proxy, with nothing forged. */
export function arrivalSections(examination: Examination): Section[] {
  return examination.handshakes.flatMap((handshake) => {
    const here = examination.arrivals.filter(({ route }) => route === handshake.route);
    const own = seenFirst(here.filter(({ certificate }) => certificate === 'own'));
    const stranger = seenFirst(here.filter(({ certificate }) => certificate === 'stranger'));
    const none = seenFirst(here.filter(({ certificate }) => certificate === 'none'));
    const believed = [
      ['with the certificate', describeArrival(own, examination)],
      ...(stranger ? [['with a self-signed one', describeArrival(stranger, examination)]] : []),
      ['without one', describeArrival(none, examination)],
    ];
    return [
      { heading: `This machine → ${handshake.url}`, tables: [handshakeRows(handshake, examination)] },
      { heading: 'The proxy → Countersign', tables: hopTables(own?.observation ?? null, examination) },
      { heading: 'Believed', tables: [believed] },
    ];
  });
}

function seenFirst(arrivals: readonly Arrival[]): Arrival | undefined {
  return arrivals.find(({ observation }) => observation !== null) ?? arrivals[0];
}

function handshakeRows(handshake: HandshakeReport, { own_certificate }: Examination): string[][] {
  const { connected_to, server_name, tls_version, http2, client_certificate_requested: requested, failure } = handshake;
  const { subject, made } = own_certificate;
  const what = made ? 'one made for this run' : subject;
  return [
    ['connection', `${connected_to}, ${tls_version ?? 'no TLS'}, ${http2 ? 'HTTP/2 and HTTP/1.1' : 'HTTP/1.1'}`],
    ['server name', server_name],
    ['certificate', requested ? `asked for; shown: ${what}` : 'not asked for'],
    ...(failure === null ? [] : [['handshake', `with the certificate: ${failure}`]]),
  ];
}

function hopTables(observation: Observation | null, examination: Examination): Table[] {
  const { server } = examination;
  const expects = ['expected', `${server.terminator} in ${fieldsRead(server).join(', ')}; ${server.proxy_trust}`];
  if (observation === null) return [[expects, ['arrived', 'nothing']]];
  const { peer, proxy_trust, fields } = observation;
  const from = `${peer === 'unix' ? 'the Unix socket' : peer}, ${proxy_trust.trusted ? 'trusted' : `NOT trusted: ${proxy_trust.reason}`}`;
  const arrived = fields.map((field) => [field.name, `${field.octets} octets`, describeField(field, examination)]);
  return [[expects, ['from', from]], arrived];
}

function describeField({ value, certificate }: ObservedField, { server, own_certificate }: Examination): string {
  if (!certificate) return printable(value);
  const { formats, thumbprint } = certificate;
  const whose = thumbprint === own_certificate.thumbprint ? nameOwn(own_certificate) : `the certificate ${thumbprint}`;
  const writer = formats.includes(server.terminator) ? server.terminator : formats.join(' or ');
  return `${whose}, as ${writer} writes it`;
}

function describeArrival(arrival: Arrival | undefined, examination: Examination): string {
  if (!arrival?.observation) return `nothing arrived: ${arrival?.answer ?? 'not sent'}`;
  const { outcome } = arrival.observation;
  if (outcome.kind !== 'certificate') return `${outcome.kind}: ${outcome.reason}`;
  const { thumbprint, subject, chain } = outcome;
  return `${nameBelieved(thumbprint, examination)}, ${subject}; its chain is ${chain.verified ? 'verified' : 'not verified'}: ${printable(chain.reason)}`;
}

function nameBelieved(thumbprint: string, { own_certificate, stranger_certificate }: Examination): string {
  if (thumbprint === own_certificate.thumbprint) return nameOwn(own_certificate);
  return thumbprint === stranger_certificate.thumbprint ? 'that certificate' : 'ANOTHER CERTIFICATE';
}

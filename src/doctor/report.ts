import { printable } from '../text.ts';
import type { Arrival, Examination, HandshakeReport } from './examination.ts';
import { nameOwn } from './identity.ts';
import { fieldsRead } from './mend.ts';
import type { Observation } from './observer/observe.ts';
import type { ObservedField } from './observer/observed-fields.ts';

/** A part of the report: tables under a heading. */
export interface Section {
  readonly heading: string;
  readonly tables: readonly Table[];
}

export type Table = readonly (readonly string[])[];

/** What arrived, hop by hop, with nothing forged. */
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
  const expects = ['expected', `${server.terminator} in ${fieldsRead(server).join(', ')}; ${server.hop}`];
  if (observation === null) return [[expects, ['arrived', 'nothing']]];
  const { peer, hop, fields } = observation;
  const from = `${peer === 'unix' ? 'the Unix socket' : peer}, ${hop.trusted ? 'trusted' : `NOT trusted: ${hop.reason}`}`;
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
  const { believed } = arrival.observation;
  if (believed.kind !== 'certificate') return `${believed.kind}: ${believed.reason}`;
  const { thumbprint, subject, chain } = believed;
  return `${nameBelieved(thumbprint, examination)}, ${subject}; its chain is ${chain.verified ? 'verified' : 'not verified'}: ${printable(chain.reason)}`;
}

function nameBelieved(thumbprint: string, { own_certificate, stranger_certificate }: Examination): string {
  if (thumbprint === own_certificate.thumbprint) return nameOwn(own_certificate);
  return thumbprint === stranger_certificate.thumbprint ? 'that certificate' : 'ANOTHER CERTIFICATE';
}

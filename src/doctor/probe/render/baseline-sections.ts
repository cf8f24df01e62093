import { printable } from '../../../text.ts';
import type { ForwardingConfig } from '../../observer/effective-config.ts';
import type { Observation } from '../../observer/observe.ts';
import type { ObservedField } from '../../observer/observed-fields.ts';
import { describeOwnCertificate } from '../client-key-pair.ts';
import { forwardedFieldNames } from '../conclude/fixes.ts';
import type { BaselineReport, HandshakeReport, ProbeReport } from '../probe-report.ts';
import type { Section, Table } from './section.ts';

/** Renders, for each URL of the server, the handshake, what the proxy forwarded and what the server accepted. */
export function baselineSections(report: ProbeReport): Section[] {
  return report.handshakes.flatMap((handshake) => {
    const here = report.baseline.filter(({ route }) => route === handshake.route);
    const own = observedFirst(here.filter(({ certificate }) => certificate === 'own'));
    const untrusted = observedFirst(here.filter(({ certificate }) => certificate === 'untrusted'));
    const none = observedFirst(here.filter(({ certificate }) => certificate === 'none'));
    const accepted = [
      ['with the certificate', describeOutcome(own, report)],
      ...(untrusted ? [['with a self-signed one', describeOutcome(untrusted, report)]] : []),
      ['without one', describeOutcome(none, report)],
    ];
    return [
      { heading: `This machine → ${handshake.url}`, tables: [handshakeTable(handshake, report)] },
      { heading: 'The proxy → Countersign', tables: forwardingTables(own?.observation ?? null, report) },
      { heading: 'Accepted', tables: [accepted] },
    ];
  });
}

function observedFirst(reports: readonly BaselineReport[]): BaselineReport | undefined {
  return reports.find(({ observation }) => observation !== null) ?? reports[0];
}

export function handshakeTable(
  handshake: HandshakeReport,
  { own_certificate }: Pick<ProbeReport, 'own_certificate'>,
): Table {
  const { connected_to, server_name, tls_version, http2, client_certificate_requested, failure } = handshake;
  const { subject, generated } = own_certificate;
  const certificate = generated ? 'one generated for this run' : subject;
  return [
    ['connection', `${connected_to}, ${tls_version ?? 'no TLS'}, ${http2 ? 'HTTP/2 and HTTP/1.1' : 'HTTP/1.1'}`],
    ['server name', server_name],
    ['certificate', client_certificate_requested ? `requested; presented: ${certificate}` : 'not requested'],
    ...(failure === null ? [] : [['handshake', `with the certificate: ${failure}`]]),
  ];
}

/** What is expected of the proxy, and what it forwarded. */
export interface Expected {
  readonly server: ForwardingConfig;
  readonly own_certificate: ProbeReport['own_certificate'];
}

export function forwardingTables(observation: Observation | null, report: Expected): Table[] {
  const { server } = report;
  const expected = `${server.terminator} in ${forwardedFieldNames(server).join(', ')}; ${server.proxy_trust}`;
  if (observation === null) {
    return [
      [
        ['expected', expected],
        ['arrived', 'nothing'],
      ],
    ];
  }
  const { peer, proxy_trust, fields } = observation;
  const trust = proxy_trust.trusted ? 'trusted' : `NOT trusted: ${proxy_trust.reason}`;
  return [
    [
      ['expected', expected],
      ['from', `${peer === 'unix' ? 'the Unix socket' : peer}, ${trust}`],
    ],
    fields.map((field) => [field.name, `${field.bytes} bytes`, describeField(field, report)]),
  ];
}

export function describeField({ value, certificate }: ObservedField, { server, own_certificate }: Expected): string {
  if (!certificate) return printable(value);
  const { formats, thumbprint } = certificate;
  const isOwn = thumbprint === own_certificate.thumbprint;
  const name = isOwn ? describeOwnCertificate(own_certificate) : `the certificate ${thumbprint}`;
  const format = formats.includes(server.terminator) ? server.terminator : formats.join(' or ');
  return `${name}, as ${format} writes it`;
}

function describeOutcome(baseline: BaselineReport | undefined, report: ProbeReport): string {
  if (!baseline?.observation) return `nothing arrived: ${baseline?.response ?? 'not sent'}`;
  const { outcome } = baseline.observation;
  switch (outcome.kind) {
    case 'absent':
      return `no certificate: ${outcome.reason}`;
    case 'rejected':
      return `rejected: ${outcome.reason}`;
    case 'accepted': {
      const { thumbprint, subject, chain } = outcome;
      const verified = chain.verified ? 'verified' : 'not verified';
      return `${describeAccepted(thumbprint, report)}, ${subject}; its chain is ${verified}: ${printable(chain.reason)}`;
    }
  }
}

function describeAccepted(thumbprint: string, { own_certificate, untrusted_certificate }: ProbeReport): string {
  if (thumbprint === own_certificate.thumbprint) return describeOwnCertificate(own_certificate);
  return thumbprint === untrusted_certificate.thumbprint ? 'that certificate' : 'ANOTHER CERTIFICATE';
}

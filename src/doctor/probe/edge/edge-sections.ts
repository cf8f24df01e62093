import type { Arrival, ArrivedField } from '../../observer/arrival.ts';
import { normalizedName } from '../../observer/observed-fields.ts';
import { describeField, type Expected, forwardingTables, handshakeTable } from '../render/baseline-sections.ts';
import { columnsOf, headerOf, isIn, wrapTitles } from '../render/columns.ts';
import type { Section, Table } from '../render/section.ts';
import type { EdgeBaselineReport, EdgeForgeryReport, EdgeReport } from './edge-report.ts';
import type { EdgeOutcome } from './evaluate-arrival.ts';

/** Renders the handshake, what the edge and the upstream received, and what happened without a certificate. */
export function edgeBaselineSections({ handshakes, baseline, server, own_certificate }: EdgeReport): Section[] {
  const own = baseline.find(({ certificate }) => certificate === 'own');
  const others = baseline.filter(({ certificate }) => certificate !== 'own');
  const forwarded = server.edge ? forwardingTables(own?.check ?? null, { server: server.edge, own_certificate }) : [];
  return [
    ...handshakes.map((handshake) => ({
      heading: `This machine → ${handshake.url}`,
      tables: [handshakeTable(handshake, { own_certificate })],
    })),
    { heading: 'The proxy → the edge', tables: forwarded },
    {
      heading: 'The proxy → the upstream',
      tables: [
        own?.arrival && server.edge
          ? arrivalTable(own.arrival, { server: server.edge, own_certificate })
          : [['nothing', own?.response ?? '']],
      ],
    },
    { heading: 'Without your certificate', tables: [others.map(describeOther)] },
  ];
}

function arrivalTable({ fields, token }: Arrival, expected: Expected): Table {
  return fields.map((field) => [field.name, `${field.bytes} bytes`, describeArrived(field, token, expected)]);
}

function describeArrived(field: ArrivedField, token: Arrival['token'], expected: Expected): string {
  if (normalizedName(field.name) !== 'authorization') return describeField(field, expected);
  switch (token.kind) {
    case 'valid':
      return 'a token of this server, bound to a certificate';
    case 'unbound':
      return 'a token of this server, not bound to a certificate';
    case 'invalid':
      return `NOT a token of this server: ${token.reason}`;
    case 'absent':
      return field.value;
  }
}

function describeOther({ certificate, protocol, arrival, response }: EdgeBaselineReport): string[] {
  const presented = certificate === 'none' ? 'none' : 'a self-signed one';
  const over = protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1';
  return [presented, over, arrival ? `REACHED the upstream (${response})` : response];
}

/** Renders one row per forgery. */
export function edgeForgerySections(forgeries: readonly EdgeForgeryReport[]): Section[] {
  const used = columnsOf(forgeries);
  const rows = [...Map.groupBy(forgeries, ({ title }) => title)].map(([title, some]) => {
    return [title, ...used.map((column) => cellOf(some.find((forgery) => isIn(column, forgery))))];
  });
  const occurring = new Set<string>(forgeries.map(({ outcome }) => outcome));
  const meanings = Object.entries(outcomeWords).filter(([outcome]) => occurring.has(outcome));
  return [
    { heading: 'Forged …', tables: [wrapTitles([headerOf(used), ...rows])] },
    {
      heading: 'Legend',
      tables: [[...meanings.map(([, row]) => row), ['+ own', 'with the certificate above in the handshake']]],
    },
  ];
}

function cellOf(forgery: EdgeForgeryReport | undefined): string {
  if (forgery === undefined) return '–';
  if ((forgery.outcome === 'denied' || forgery.outcome === 'stopped') && forgery.status !== null)
    return String(forgery.status);
  return outcomeWords[forgery.outcome][0];
}

/** The word in a cell, and its meaning in the legend. */
const outcomeWords: Readonly<Record<EdgeOutcome, readonly [word: string, meaning: string]>> = {
  vulnerable: ['ARRIVED', 'it reached the upstream; see the errors below'],
  in_trailer: ['trailer', 'it reached the upstream as a trailer'],
  identified: ['replaced', 'the upstream received what the edge stated, and nothing of it'],
  denied: ['denied', 'a number is the HTTP status: 401 and 403 are those of a denied check'],
  stopped: ['stopped', 'the proxy rejected the request; a number is the HTTP status'],
  not_observed: ['unobserved', 'whether it reached the upstream is unknown'],
};

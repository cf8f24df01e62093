import type { ForgeryOutcome } from '../conclude/evaluate-forgery.ts';
import type { ForgeryReport } from '../probe-report.ts';
import { type Column, columnsOf, headerOf, isIn, wrapTitles } from './columns.ts';
import type { Section, Table } from './section.ts';

/** Renders one row per forgery; one table per URL of the server, unless they are equal. */
export function forgerySections(forgeries: readonly ForgeryReport[]): Section[] {
  const isDirect = ({ route }: ForgeryReport) => route === 'mutual_tls' || route === 'issuer';
  const byUrl = Map.groupBy(forgeries.filter(isDirect), ({ route_title }) => route_title);
  const sections = [...byUrl].map(([url, some]) => ({
    heading: `A forged certificate at ${url}, …`,
    tables: [forgeryTable(some)],
  }));
  const [first] = sections;
  const areEqual = first && sections.every(({ tables }) => JSON.stringify(tables) === JSON.stringify(first.tables));
  const otherRoutes = forgeries.filter((forgery) => !isDirect(forgery));
  return [
    ...(areEqual ? [{ ...first, heading: 'A forged certificate …' }] : sections),
    { heading: '… as the proxy writes it, with …', tables: [routeTable(otherRoutes)] },
    { heading: 'Legend', tables: [legend(forgeries)] },
  ];
}

function forgeryTable(forgeries: readonly ForgeryReport[]): Table {
  const used = columnsOf(forgeries);
  const rowsOf = (family: ForgeryReport['family']) => {
    const ofFamily = forgeries.filter((forgery) => forgery.family === family);
    const titles = Map.groupBy(ofFamily, ({ title }) => title);
    return [...titles].map(([title, some]) => [title, ...cellsOf(some, used)]);
  };
  return wrapTitles([headerOf(used), ...rowsOf('variant'), ...collapse(rowsOf('other_format'))]);
}

/** Merges rows with equal cells into one. */
function collapse(rows: readonly (readonly string[])[]): Table {
  const [first] = rows;
  const different = new Set(rows.map(([, ...cells]) => cells.join(' ')));
  if (!first || rows.length < 2 || different.size > 1) return rows;
  return [[`as each of ${rows.length} other terminators writes it`, ...first.slice(1)]];
}

function routeTable(forgeries: readonly ForgeryReport[]): Table {
  const used = columnsOf(forgeries);
  const routes = Map.groupBy(forgeries, ({ route_title }) => route_title);
  return wrapTitles([headerOf(used), ...[...routes].map(([title, some]) => [title, ...cellsOf(some, used)])]);
}

function cellsOf(forgeries: readonly ForgeryReport[], used: readonly Column[]): string[] {
  return used.map((column) => cellOf(forgeries.find((forgery) => isIn(column, forgery))));
}

function cellOf(forgery: ForgeryReport | undefined): string {
  if (forgery === undefined) return '–';
  if (forgery.outcome === 'rejected_by_proxy' && forgery.status !== null) return String(forgery.status);
  return outcomeWords[forgery.outcome][0];
}

/** The word in a cell, and its meaning in the legend. */
const outcomeWords: Readonly<Record<ForgeryOutcome, readonly [word: string, meaning: string]>> = {
  accepted: ['ACCEPTED', 'the server accepted it'],
  ignored: ['ignored', 'it arrived, and the server ignored it'],
  removed: ['removed', 'the proxy removed or overwrote it'],
  rejected_by_server: ['rejected', 'the server rejected the request'],
  rejected_by_proxy: [
    'stopped',
    'the proxy rejected the request, or the server did as malformed HTTP; a number is the HTTP status',
  ],
  not_observed: ['unobserved', 'no queried server observed the request'],
};

function legend(forgeries: readonly ForgeryReport[]): string[][] {
  const occurring = new Set<string>(forgeries.map(({ outcome }) => outcome));
  const meanings = Object.entries(outcomeWords).filter(([outcome]) => occurring.has(outcome));
  const hasUntrusted = forgeries.some(({ certificate }) => certificate === 'untrusted');
  return [
    ...meanings.map(([, [word, meaning]]) => [word, meaning]),
    ['+ own', 'with the certificate above in the handshake'],
    ...(hasUntrusted
      ? [['+ untrusted', 'with a self-signed certificate, generated for this run, in the handshake']]
      : []),
  ];
}

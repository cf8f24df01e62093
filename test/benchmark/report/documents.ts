import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sizingPage, withSection } from '../../../docs/generate.ts';
import { repositoryRoot } from '../../support/repository-root.ts';
import type { CaseResult } from '../cases/case.ts';
import type { CaseName } from '../cases.ts';
import { type Measurement, ratioOf } from '../measure/rounds.ts';
import { plotCpuTime } from './plot.ts';
import { describeProvenance, type Provenance } from './provenance.ts';
import { renderMarkdown } from './table.ts';
import { targetTable } from './targets.ts';

const performance = join(repositoryRoot, 'docs/performance.md');
const readme = join(repositoryRoot, 'README.md');
const plot = join(repositoryRoot, 'docs/performance.svg');

const casesWithTargets: readonly CaseName[] = [
  'one-client',
  'many-clients',
  'new-certificates',
  'edge-mint',
  'edge-verify',
  'overload',
  'start-up',
];

/** Cases that a run leaves out unless it names them. Their sections include the heading: without figures, there is none. */
const headings: Partial<Readonly<Record<CaseName, string>>> = {
  soak: '### Memory',
  administration: '### Administration',
};

/** `--write-docs`: replaces the section of each case in docs/performance.md, and what is derived from them. */
export async function writeDocuments(
  results: ReadonlyMap<CaseName, CaseResult>,
  provenance: Provenance,
): Promise<void> {
  const origin = `*${describeProvenance(provenance)}*`;
  for (const [name, { tables }] of results) {
    const heading = headings[name] === undefined ? [] : [headings[name]];
    replaceSection(performance, name, [...heading, ...tables.map(renderMarkdown), origin].join('\n\n'));
  }
  if (casesWithTargets.every((name) => results.has(name))) {
    replaceSection(performance, 'targets', `${renderMarkdown(targetTable(results.values()))}\n\n${origin}`);
  }
  const oneClient = results.get('one-client');
  // Safe: the figures of a throughput case.
  if (oneClient) await writeOverview(oneClient.figures as readonly Measurement[], provenance);
  const { file, content } = sizingPage();
  writeFileSync(file, content);
}

/** The plot, and the summary in the README. */
async function writeOverview(measurements: readonly Measurement[], provenance: Provenance): Promise<void> {
  const serve = measurements.find(({ contender }) => contender === 'serve, Redis');
  const peer = measurements.find(({ contender }) => contender === 'oidc-provider');
  if (!serve || !peer) throw new Error('--write-docs needs the contenders "serve, Redis" and "oidc-provider"');
  writeFileSync(plot, await plotCpuTime(measurements, describeProvenance(provenance)));
  const microseconds = serve.cpu.median.toFixed(0);
  const summary = [
    `A token for a client in Redis takes **${microseconds} µs** of CPU time, with audit log and all threads. That is`,
    `**${serve.ratio.median.toFixed(2)} times** a bare \`node:http\` server that parses the form and signs once ("limit A"), and`,
    `${(100 * ratioOf(serve.cpuByRound, peer.cpuByRound).median).toFixed(0)} % of \`oidc-provider\` with the same client.`,
  ];
  replaceSection(readme, 'performance', summary.join('\n'));
}

function replaceSection(file: string, name: string, content: string): void {
  const command = 'npm run benchmark -- --write-docs';
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), { name, command, content }));
}

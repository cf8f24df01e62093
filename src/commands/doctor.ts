import type { EdgeReport } from '../doctor/probe/edge/edge-report.ts';
import { edgeBaselineSections, edgeForgerySections } from '../doctor/probe/edge/edge-sections.ts';
import { probeEdge } from '../doctor/probe/edge/probe-edge.ts';
import { type DoctorOptions, parseProbeOptions } from '../doctor/probe/options.ts';
import { probe } from '../doctor/probe/probe.ts';
import type { ProbeReport } from '../doctor/probe/probe-report.ts';
import { baselineSections } from '../doctor/probe/render/baseline-sections.ts';
import { forgerySections } from '../doctor/probe/render/forgery-sections.ts';
import type { Section } from '../doctor/probe/render/section.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { codeOfError, exitCodes } from './exit-codes.ts';
import { type OutputFormat, type Style, styled, table } from './output/text.ts';
import { trustSystemCas } from './system-cas.ts';

const codeOf = {
  secure: exitCodes.success,
  incomplete: exitCodes.failure,
  vulnerable: exitCodes.findings,
} as const;

/**
 * `countersign doctor --url URL`: sends a certificate and then forgeries through the live proxy, and reports what the
 * server accepted. With `--edge`, the URL is one that the edge protects, and the report is about what reached its upstream.
 *
 * @returns the exit code: 0 secure, 1 incomplete, 3 vulnerable
 * @throws {OperatorError} when the proxy or the server cannot be probed; with JSON output, it is printed instead
 */
export async function doctor(options: DoctorOptions, output: OutputFormat): Promise<number> {
  trustSystemCas();
  if (output === 'json') return await printJson(options);
  const report = await run(options);
  await printReport(report);
  return codeOf[report.conclusion];
}

async function printJson(options: DoctorOptions): Promise<number> {
  const print = (value: unknown) => console.log(JSON.stringify(value, null, 2));
  try {
    const report = await run(options);
    print(report);
    return codeOf[report.conclusion];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    print({ conclusion: 'error', problems: error.problems });
    return codeOfError(error);
  }
}

type Report = ProbeReport | EdgeReport;

async function run(options: DoctorOptions): Promise<Report> {
  const parsed = await parseProbeOptions(options);
  return await (options.edge ? probeEdge : probe)(parsed, showProgress).finally(clearProgress);
}

function showProgress(sent: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${sent} of ${total} forgeries sent`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

async function printReport(report: Report): Promise<void> {
  const isSent = report.baseline.length > 0;
  if (isSent) await printSections(report);
  for (const note of report.notes) console.log(`${styled('yellow', 'note')} ${note}`);
  for (const problem of report.problems) console.log(`${styled('red', 'error')} ${problem}`);
  if (isSent) console.log(describeCoverage(report));
  console.log(describeConclusion(report));
}

async function printSections(report: Report): Promise<void> {
  const [baseline, forgeries] = isOfToken(report)
    ? [baselineSections(report), forgerySections(report.forgeries)]
    : [edgeBaselineSections(report), edgeForgerySections(report.forgeries)];
  console.log(styled('bold', 'Requests without any forgery'));
  for (const section of baseline) await printSection(section);
  console.log(`\n${styled('bold', 'Forgeries')}`);
  for (const section of forgeries) await printSection(section);
  console.log('');
}

function isOfToken(report: Report): report is ProbeReport {
  return 'forged_certificate' in report;
}

async function printSection({ heading, tables }: Section): Promise<void> {
  console.log(`\n${heading}`);
  for (const line of (await Promise.all(tables.map(table))).flat()) {
    console.log(
      `  ${line.replace(/ACCEPTED|ARRIVED|REACHED|NOT (?:trusted|a token)/g, (word) => styled('red', word))}`,
    );
  }
}

function describeCoverage({ coverage: { covered, not_covered } }: Report): string {
  return `Covered: ${covered.join(', ')}. Not covered: ${not_covered.join(', ')}.`;
}

function describeConclusion(report: Report): string {
  const { conclusion, problems, own_certificate } = report;
  const count = isOfToken(report) ? countAccepted(report) : countArrived(report);
  const own = own_certificate.generated ? '' : 'your certificate was accepted, and ';
  const toFix = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const texts: Readonly<Record<Report['conclusion'], readonly [Style, string]>> = {
    secure: ['green', `Secure: ${own}${count}.`],
    incomplete: ['yellow', `Incomplete: not everything was observed; of what was, ${count}.`],
    vulnerable: ['red', `Vulnerable: ${count}; ${toFix} to fix, see above.`],
  };
  return styled(...texts[conclusion]);
}

function countAccepted({ forgeries }: ProbeReport): string {
  if (forgeries.length === 0) return 'no forgery was sent';
  const accepted = forgeries.filter(({ outcome }) => outcome === 'accepted').length;
  return `${countOf(accepted, forgeries.length)} accepted`;
}

function countArrived({ forgeries }: EdgeReport): string {
  if (forgeries.length === 0) return 'no forgery was sent';
  const arrived = forgeries.filter(({ outcome }) => outcome === 'vulnerable').length;
  return `${countOf(arrived, forgeries.length)} let through`;
}

function countOf(some: number, all: number): string {
  return `${some === 0 ? 'none' : some} of ${all} forgeries ${some === 1 ? 'was' : 'were'}`;
}

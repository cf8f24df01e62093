import type { Examination } from '../doctor/probe/examination.ts';
import { trustSystemCas } from '../doctor/probe/identity.ts';
import { type DoctorOptions, parseProbeOptions } from '../doctor/probe/options.ts';
import { probe } from '../doctor/probe/probe.ts';
import { arrivalSections, forgerySections, type Section } from '../doctor/probe/report.ts';
import { OperatorError } from '../operator-error.ts';
import { type OutputFormat, type Style, styled, table } from './output/text.ts';

const exitCodes = { sound: 0, incomplete: 1, wrong: 2 } as const;

/**
 * `countersign doctor --url URL`: sends a certificate through the live proxy, then forgeries, and says what was believed.
 *
 * @returns the exit code: 0 all is sound, 1 not everything could be seen, 2 something is wrong
 * @throws {OperatorError} when nothing can be examined; as JSON, it is printed like everything else
 */
export async function doctor(options: DoctorOptions, output: OutputFormat): Promise<number> {
  trustSystemCas();
  if (output === 'json') return await printJson(options);
  const examination = await run(options);
  printReport(examination);
  return exitCodes[examination.conclusion];
}

async function run(options: DoctorOptions): Promise<Examination> {
  const order = await parseProbeOptions(options);
  return await probe(order, showProgress).finally(clearProgress);
}

/** Programs read why there is nothing to report where they would read the report. */
async function printJson(options: DoctorOptions): Promise<number> {
  const print = (value: unknown) => console.log(JSON.stringify(value, null, 2));
  try {
    const examination = await run(options);
    print(examination);
    return exitCodes[examination.conclusion];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    print({ conclusion: 'unexamined', reasons: error.problems });
    return exitCodes.incomplete;
  }
}

/** On a terminal only, and gone when it is done. */
function showProgress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} forgeries sent`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

function printReport(examination: Examination): void {
  if (examination.arrivals.length > 0) printFindings(examination);
  for (const note of examination.notes) console.log(`${styled('yellow', 'note')} ${note}`);
  for (const fault of examination.problems) console.log(`${styled('red', 'error')} ${fault}`);
  if (examination.arrivals.length > 0) console.log(describeCoverage(examination));
  console.log(conclusion(examination));
}

function printFindings(examination: Examination): void {
  console.log(styled('bold', 'What arrived'));
  for (const section of arrivalSections(examination)) printSection(section);
  console.log(`\n${styled('bold', 'Forgeries')}`);
  for (const section of forgerySections(examination.forgeries)) printSection(section);
  console.log('');
}

function printSection({ heading, tables }: Section): void {
  console.log(`\n${heading}`);
  for (const line of tables.flatMap(table)) {
    console.log(`  ${line.replace(/THROUGH|NOT trusted/g, (word) => styled('red', word))}`);
  }
}

function describeCoverage({ coverage: { covered, not_covered } }: Examination): string {
  return `Covered: ${covered.join(', ')}. Not covered: ${not_covered.join(', ')}.`;
}

function conclusion({ conclusion: kind, forgeries, problems, own_certificate }: Examination): string {
  const passed = forgeries.filter(({ outcome }) => outcome === 'got_through').length;
  const some = `${passed === 0 ? 'none' : passed} of ${forgeries.length} forgeries got through`;
  const count = forgeries.length === 0 ? 'no forgery was sent' : some;
  const said: Readonly<Record<Examination['conclusion'], readonly [Style, string]>> = {
    sound: ['green', own_certificate.made ? `Sound: ${count}.` : `Sound: your certificate was believed, and ${count}.`],
    incomplete: ['yellow', `Not everything could be seen; ${count}, as far as it was.`],
    wrong: ['red', `Wrong: ${count}; ${problems.length} to mend, as said above.`],
  };
  return styled(...said[kind]);
}

import { Command, InvalidArgumentError, Option, type OutputConfiguration } from 'commander';
import { closestMatch } from '../../src/closest-match.ts';
import { type CaseName, caseNames, cases } from './cases.ts';
import { type PeerName, peerNames } from './contenders/peers.ts';

export interface BenchmarkOptions {
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  readonly minutes: number;
  readonly sizes: readonly number[];
  readonly against: readonly string[];
  readonly with: readonly PeerName[];
  readonly output: 'text' | 'json';
  readonly writeDocs?: true;
}

const epilogue = `
Cases:
${caseNames.map((name) => `  ${name.padEnd(22)}  ${cases[name].description}`).join('\n')}

The first figure is the CPU time of the whole process per token, and its ratio to
limit A: a bare node:http server that parses the form and signs once. Compare
ratios of one run; other load on the machine affects all contenders alike.

Exit codes: 0 success, 1 failure (for example a contender that responds with
anything but a token), 2 usage error.

More: docs/performance.md`;

/** They take long and are about something other than the cost of a token. */
const slowCases: readonly CaseName[] = ['soak', 'administration', 'idle'];
const defaultCases = caseNames.filter((name) => !slowCases.includes(name));

/**
 * Parses the command line of `npm run benchmark --`.
 *
 * @param output where the help and errors are written; default: the standard streams
 * @throws {CommanderError} after it has written the help, or what is wrong with an option
 */
export function parseOptions(args: readonly string[], output: OutputConfiguration = {}): BenchmarkOptions {
  const program = new Command('npm run benchmark --')
    .description('Measure what a token costs, next to what it would cost at least.')
    .addOption(
      new Option('--cases <names>', 'only these cases, separated by commas')
        .default(defaultCases, `all but ${slowCases.join(', ')}`)
        .argParser(listOf(caseNames)),
    )
    .option('--rounds <number>', 'measured rounds per contender', parsePositive, 15)
    .option('--minutes <number>', 'duration of the case soak', parsePositive, 10)
    .addOption(
      new Option('--sizes <numbers>', 'numbers of clients for the case administration')
        .default([1_000, 100_000], '1000,100000')
        .argParser((text) => text.split(',').map(parsePositive)),
    )
    .addOption(
      new Option('--against <revision>', 'also measure a commit of this repository; may be repeated')
        .default([], 'none')
        .argParser(collect),
    )
    .addOption(
      new Option('--with <programs>', `also measure ${peerNames.join(', ')} (separated by commas) if installed`)
        .default([], 'none')
        .argParser(listOf(peerNames)),
    )
    .addOption(new Option('--output <format>', 'output format').choices(['text', 'json']).default('text'))
    .option(
      '--write-docs',
      'write the tables of these cases to docs/performance.md; with one-client also the plot and the README',
    )
    .addHelpText('after', epilogue)
    .allowExcessArguments(false)
    .showHelpAfterError('(see npm run benchmark -- --help)')
    .exitOverride()
    .configureOutput(output);
  // Safe: the parsers above give the members these types.
  return program.parse(args, { from: 'user' }).opts() as BenchmarkOptions;
}

function listOf<T extends string>(known: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    text.split(',').map((name) => {
      const match = known.find((candidate) => candidate === name.trim());
      if (match !== undefined) return match;
      const suggestion = closestMatch(name, known);
      const hint = suggestion === undefined ? `Use one of ${known.join(', ')}.` : `Did you mean ${suggestion}?`;
      throw new InvalidArgumentError(hint);
    });
}

function parsePositive(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

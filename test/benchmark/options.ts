import { Command, InvalidArgumentError, Option } from 'commander';
import { closestMatch } from '../../src/closest-match.ts';
import { type CaseName, caseNames, cases } from './cases.ts';

export interface BenchmarkOptions {
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  readonly minutes: number;
  readonly against: readonly string[];
  readonly output: 'text' | 'json';
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

/** Parses the command line of \`npm run benchmark --\`; exits for \`--help\` and for wrong options. */
export function parseOptions(args: readonly string[]): BenchmarkOptions {
  const program = new Command('npm run benchmark --')
    .description('Measure what a token costs, next to what it would cost at least.')
    .option(
      '--cases <names>',
      'only these cases, separated by commas',
      parseCases,
      caseNames.filter((name) => name !== 'soak'),
    )
    .option('--rounds <number>', 'measured rounds per contender', parsePositive, 7)
    .option('--minutes <number>', 'duration of the case soak', parsePositive, 10)
    .option('--against <revision>', 'also measure a commit of this repository; may be repeated', collect, [])
    .addOption(new Option('--output <format>', 'output format').choices(['text', 'json']).default('text'))
    .addHelpText('after', epilogue)
    .allowExcessArguments(false)
    .showHelpAfterError('(see npm run benchmark -- --help)')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  // Safe: the parsers above give the members these types.
  return program.parse(args, { from: 'user' }).opts() as BenchmarkOptions;
}

function parseCases(text: string): readonly CaseName[] {
  return text.split(',').map((name) => {
    const known = caseNames.find((caseName) => caseName === name.trim());
    if (known !== undefined) return known;
    const suggestion = closestMatch(name, caseNames);
    throw new InvalidArgumentError(
      suggestion === undefined ? `The cases are ${caseNames.join(', ')}.` : `Did you mean ${suggestion}?`,
    );
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

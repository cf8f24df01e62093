import { constants } from 'node:os';
import { inspect, styleText } from 'node:util';
import { fileErrorReason } from '../../errors/file-error.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { withSourcePositions } from '../../errors/source-positions.ts';
import { printable } from '../../text.ts';

/** A signal ended a command before it was done. The message states how far it got. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  /** As shells report a program ended by the signal: 130 for SIGINT, 143 for SIGTERM. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals, howFar: string) {
    super(`stopped by ${signal}${howFar === '' ? '' : `: ${howFar}`}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Prints on standard error why a command failed. */
export function printError(error: unknown): void {
  if (error instanceof OperatorError) for (const problem of error.problems) printProblem(problem);
  else if (error instanceof InterruptedError) printProblem(error.message);
  else printProblem(`unexpected error ${withSourcePositions(inspect(error))}`);
}

/** Options that have replaced a setting, by the name of its variable. */
const optionsByVariable = new Map<string, string>();

/** From now on, problems name the option, which the user has typed, instead of the variable. */
export function nameOptionInProblems(variable: string, option: string): void {
  optionsByVariable.set(variable, option);
}

/** Prints a problem of one or more lines. It may quote file contents and names, so terminal controls are escaped. */
export function printProblem(problem: string): void {
  const name = styleText('red', 'countersign:', { stream: process.stderr });
  const text = problem.replace(/\bCOUNTERSIGN_\w+/g, (variable) => optionsByVariable.get(variable) ?? variable);
  for (const line of text.split('\n')) console.error(`${name} ${printable(line)}`);
}

/** Prints on standard error what does not keep the command from running. */
export function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) printProblem(`warning: ${warning}`);
}

/** As shells report a program ended by SIGPIPE. */
const BROKEN_PIPE = 141;

/**
 * Exits with code 1 and the reason as soon as standard output cannot be written. Exits silently when its reader has
 * closed the pipe, as in `countersign clients list | head`.
 */
export function exitOnOutputError(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
    printProblem(`standard output cannot be written: ${fileErrorReason(error)}`);
    process.exit(1);
  });
}

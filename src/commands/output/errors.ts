import { constants } from 'node:os';
import { inspect, styleText } from 'node:util';
import { OperatorError } from '../../operator-error.ts';
import { printable } from '../../text.ts';

/** What a shell says of a program that SIGPIPE has ended. */
const BROKEN_PIPE = 141;

/**
 * From now on a standard output that cannot be written ends the process: with the reason and exit code 1. Where only
 * nobody reads it any more (`countersign clients list | head`), there is nothing to explain.
 */
export function exitOnOutputError(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(BROKEN_PIPE);
    printProblem(`standard output cannot be written: ${message}`);
    process.exit(1);
  });
}

/** Says on standard error why a command did not end well. */
export function printError(error: unknown): void {
  if (error instanceof OperatorError) for (const fault of error.problems) printProblem(fault);
  else if (error instanceof InterruptedError) printProblem(error.message);
  else printProblem(`unexpected error ${inspect(error)}`);
}

/** One fault, of one or more lines. It may quote files and their names, which a terminal must not obey. */
export function printProblem(fault: string): void {
  const name = styleText('red', 'countersign:', { stream: process.stderr });
  for (const line of fault.split('\n')) console.error(`${name} ${printable(line)}`);
}

/** A signal ended a command before it was done. The message says how far it came. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  /** As a shell tells of a program that the signal has ended: 130 for SIGINT, 143 for SIGTERM. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals, howFar: string) {
    super(`stopped by ${signal}${howFar === '' ? '' : `: ${howFar}`}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

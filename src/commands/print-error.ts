import { inspect, styleText } from 'node:util';
import { StartupError } from '../operator-error.ts';
import { printable } from '../text.ts';
import { InterruptedError } from './interrupted-error.ts';

/** Says on standard error why a command did not end well. */
export function printError(error: unknown): void {
  if (error instanceof StartupError) for (const fault of error.faults) printFault(fault);
  else if (error instanceof InterruptedError) printFault(error.message);
  else printFault(`unexpected error ${inspect(error)}`);
}

/** One fault, of one or more lines. It may quote files and their names, which a terminal must not obey. */
export function printFault(fault: string): void {
  const name = styleText('red', 'countersign:', { stream: process.stderr });
  for (const line of fault.split('\n')) console.error(`${name} ${printable(line)}`);
}

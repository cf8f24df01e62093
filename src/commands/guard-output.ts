import { printFault } from './print-error.ts';

/** What a shell says of a program that SIGPIPE has ended. */
const BROKEN_PIPE = 141;

/**
 * From now on a standard output that cannot be written ends the process: with the reason and exit code 1. Where only
 * nobody reads it any more (`countersign clients list | head`), there is nothing to explain.
 */
export function guardOutput(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(BROKEN_PIPE);
    printFault(`standard output cannot be written: ${message}`);
    process.exit(1);
  });
}

import { constants } from 'node:os';

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

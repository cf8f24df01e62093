import { isatty } from 'node:tty';

export interface SignalHandlers {
  /** Called on SIGHUP. */
  readonly reload: (signal: NodeJS.Signals) => void;
  /** Called on a signal that has no effect: SIGUSR1, SIGUSR2, and SIGHUP while the server stops. */
  readonly ignore: (signal: NodeJS.Signals) => void;
  /** Called on a second signal to stop, before the process exits with code 1. */
  readonly abort: (signal: NodeJS.Signals) => void;
}

/**
 * Installs handlers for all signals by which operators control servers. The default of each of them is to end the process
 * without a log line; that of SIGUSR1 is to open the debugger of Node.js, by which every local user could read the signing
 * key.
 *
 * @returns resolves at the first SIGINT or SIGTERM, or when the terminal is closed from which the server was started
 */
export function untilStopped({ reload, ignore, abort }: SignalHandlers): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const terminals = STANDARD_STREAMS.filter(isatty);
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) {
      abort(signal);
      process.exit(1);
    }
    isStopping = true;
    resolve(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', (signal) => {
    if (isStopping) ignore(signal);
    else if (terminals.every(isatty)) reload(signal);
    else stop(signal);
  });
  process.on('SIGUSR1', ignore);
  process.on('SIGUSR2', ignore);
  return promise;
}

/** File descriptors. */
const STANDARD_STREAMS = [0, 1, 2];

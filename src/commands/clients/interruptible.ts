import { AdministrationError } from '../../administration/administration-error.ts';
import { InterruptedError } from '../interrupted-error.ts';
import { printFault } from '../print-error.ts';

/**
 * Runs work that writes, and is not to be left in the middle: it is told by `stop` to begin nothing more, and says how
 * far it came by an AdministrationError.
 */
export type Finishing = <Answer>(work: (stop: AbortSignal) => Promise<Answer>) => Promise<Answer>;

/** Registers what is done before the work is left; it may not take long. */
export type WhenLeft = (undo: () => Promise<void>) => void;

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does some work, and leaves it when SIGINT or SIGTERM comes, or lets it finish what is under way. A second signal ends
 * the process at once.
 *
 * @param clear takes off the terminal what a message would stand behind
 * @throws {InterruptedError} where a signal came before the work was done
 */
export async function interruptible<Answer>(
  clear: () => void,
  work: (finishing: Finishing, whenLeft: WhenLeft) => Promise<Answer>,
): Promise<Answer> {
  const stop = new AbortController();
  const { promise: left, reject: leave } = Promise.withResolvers<never>();
  const undoing: (() => Promise<void>)[] = [];
  let state: 'looking' | 'finishing' | 'finished' = 'looking';
  const interrupt = (signal: NodeJS.Signals) => {
    const error = new InterruptedError(signal, state === 'looking' ? 'nothing was changed' : '');
    if (stop.signal.aborted) process.exit(error.exitCode);
    stop.abort(signal);
    clear();
    if (state === 'finishing') printFault(`${signal}: finishing what is under way; once more, and it is left`);
    else leave(error);
  };
  const finishing: Finishing = async (piece) => {
    state = 'finishing';
    try {
      return await piece(stop.signal);
    } catch (error) {
      if (!stop.signal.aborted || !(error instanceof AdministrationError)) throw error;
      throw new InterruptedError(stop.signal.reason, error.messages.join('\n'));
    } finally {
      state = 'finished';
    }
  };
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await Promise.race([left, work(finishing, (undo) => undoing.push(undo))]);
  } finally {
    if (stop.signal.aborted) await Promise.all(undoing.map((undo) => undo()));
    for (const signal of signals) process.off(signal, interrupt);
  }
}

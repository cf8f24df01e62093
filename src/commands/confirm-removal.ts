import { createInterface } from 'node:readline';
import { AdministrationError } from '../administration/administration-error.ts';
import { ConfigurationError } from '../errors/operator-error.ts';
import { type RecordType, recordTypeNames, recordTypes } from '../resources/record-types.ts';
import type { Interruption } from './clients/interruption.ts';

/** How many records of a type a command removes, and how many there are in Redis. */
export interface Removal {
  readonly removed: number;
  readonly total: number;
}

/** As many can be removed without confirmation, however few records there are. */
export const MAX_SMALL_REMOVAL = 10;

/**
 * Requires confirmation for the removal of more than 10 records that are more than a third of their type: a wrong file, or
 * a wrong list, would remove clients that are in use. Asks on a terminal; elsewhere, `--yes` confirms.
 *
 * @throws {AdministrationError} when the answer is no
 * @throws {ConfigurationError} when there is no terminal and no `--yes`: the same command fails again
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function confirmRemoval(
  removals: Readonly<Record<RecordType, Removal>>,
  { yes, interruption }: { readonly yes: boolean; readonly interruption: Interruption },
): Promise<void> {
  const large = recordTypeNames.filter((type) => isLarge(removals[type]));
  if (yes || large.length === 0) return;
  const what = large.map((type) => describe(type, removals[type])).join(' and ');
  if (process.stdin.isTTY && process.stderr.isTTY) {
    if (await interruption.abortable(ask(`countersign: remove ${what}? [y/N] `))) return;
    throw new AdministrationError(['not confirmed', NOTHING_WRITTEN]);
  }
  const fix = 'if that is intended, run the command again with --yes';
  throw new ConfigurationError([`this would remove ${what}, more than a third: ${fix}`, NOTHING_WRITTEN]);
}

const NOTHING_WRITTEN = 'Nothing was written.';

function isLarge({ removed, total }: Removal): boolean {
  return removed > MAX_SMALL_REMOVAL && removed * 3 > total;
}

function describe(type: RecordType, { removed, total }: Removal): string {
  return `${removed} of ${total} ${recordTypes[type].list}`;
}

/** Anything but yes, and the end of the input, is no. */
async function ask(question: string): Promise<boolean> {
  process.stderr.write(question);
  // Without `terminal`, Ctrl-C remains a signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    for await (const line of lines) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    // An open terminal keeps the process alive.
    process.stdin.destroy();
  }
}

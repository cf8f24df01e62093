import { AdministrationError } from '../administration/administration-error.ts';
import type { ChangeResult } from '../administration/change-record.ts';
import { type RecordKey, type RecordType, recordTypes } from '../resources/record-types.ts';
import { printable } from '../text.ts';
import type { Interruption } from './clients/interruption.ts';
import type { ClientsFormat } from './clients/options.ts';
import { printValue } from './output/document.ts';
import { printProblem } from './output/errors.ts';

interface ChangeOptions {
  readonly wording: OutcomeWording;
  readonly output: ClientsFormat;
  readonly interruption: Interruption;
}

interface OutcomeWording {
  /** In JSON and YAML, when the record was written. */
  readonly outcome: 'disabled' | 'enabled' | 'removed';
  /** In text, after its id. */
  readonly written: string;
  readonly unchanged: string;
}

export const removalWording = { outcome: 'removed', written: 'was removed', unchanged: 'is missing' } as const;

/** The outcome for one record. */
interface Outcome {
  readonly id: string;
  readonly outcome: OutcomeWording['outcome'] | 'unchanged' | 'failed';
  /** Why it failed: words that follow its id. */
  readonly reason?: string;
}

/**
 * Changes each record of a type, also after one has failed, so that the same command can be run again. Prints the outcome
 * of each.
 *
 * @param ids have passed `requireIds`
 * @returns the exit code: 0, or 1 when one has failed
 */
export async function changeEach(
  type: RecordType,
  ids: readonly string[],
  { wording, output, interruption }: ChangeOptions,
  change: (key: RecordKey) => Promise<ChangeResult>,
): Promise<number> {
  const distinct = new Set(ids);
  const outcomes: Outcome[] = [];
  const changeAll = async (stop: AbortSignal) => {
    for (const id of distinct) {
      if (stop.aborted) throw stoppedAfter(outcomes.length, distinct.size, type);
      const outcome = outcomeOf(id, await change({ type, id }), wording);
      outcomes.push(outcome);
      if (output === 'table') printOutcome(type, outcome, wording);
    }
  };
  try {
    await interruption.finishWrites(changeAll);
  } finally {
    // Records that were changed before an error are reported, too.
    const { list, idField } = recordTypes[type];
    if (output !== 'table')
      printValue(output, { [list]: outcomes.map(({ id, ...rest }) => ({ [idField]: id, ...rest })) });
  }
  return outcomes.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function stoppedAfter(count: number, total: number, type: RecordType): AdministrationError {
  return new AdministrationError([
    `${count} of ${total} ${recordTypes[type].list} were processed; running the command again processes the rest`,
  ]);
}

function outcomeOf(id: string, result: ChangeResult, wording: OutcomeWording): Outcome {
  if (result.outcome === 'failed') return { id, ...result };
  return { id, outcome: result.outcome === 'written' ? wording.outcome : 'unchanged' };
}

function printOutcome(type: RecordType, { id, outcome, reason }: Outcome, wording: OutcomeWording): void {
  const name = `${type} ${printable(id)}`;
  if (outcome === 'failed') printProblem(`${name} ${reason}`);
  else console.log(`${name} ${outcome === 'unchanged' ? wording.unchanged : wording.written}`);
}

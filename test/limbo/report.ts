import type { LimboOutcome } from './run-limbo-case.ts';

/** The outcomes as text: the figures, and each case by name in which we were wrong. */
export function limboReport(outcomes: readonly LimboOutcome[]): string {
  const of = (kind: LimboOutcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind);
  const judged = outcomes.length - of('apart').length;
  return [
    `${outcomes.length} cases, ${judged} judged, ${of('agreement').length} in agreement`,
    ...listed('wrong acceptances', of('wrong acceptance')),
    ...listed('wrong refusals', of('wrong refusal')),
    ...counted(of('apart')),
    ...slowest(outcomes),
    '',
  ].join('\n');
}

function listed(title: string, outcomes: readonly LimboOutcome[]): string[] {
  return [`${outcomes.length} ${title}`, ...outcomes.map(({ id, reason }) => `  ${id}: ${reason}`)];
}

/** Cases that we set apart, by what they hang on. */
function counted(outcomes: readonly LimboOutcome[]): string[] {
  const byReason = [...Map.groupBy(outcomes, ({ reason }) => reason)];
  return [`${outcomes.length} apart`, ...byReason.map(([reason, all]) => `  ${all.length} ${reason}`)];
}

function slowest(outcomes: readonly LimboOutcome[]): string[] {
  const [first] = outcomes.toSorted((a, b) => b.milliseconds - a.milliseconds);
  return first ? [`slowest: ${first.id}, ${first.milliseconds.toFixed(1)} ms`] : [];
}

import type { LimboOutcome } from './run-limbo-case.ts';

/** A summary of the outcomes, with the names of all cases with a wrong result. */
export function limboReport(outcomes: readonly LimboOutcome[]): string {
  const of = (kind: LimboOutcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind);
  const verified = outcomes.length - of('out of scope').length;
  return [
    `${outcomes.length} cases, ${verified} verified, ${of('agreement').length} in agreement`,
    ...listed('wrong acceptances', of('wrong acceptance')),
    ...listed('wrong rejections', of('wrong rejection')),
    ...counted(of('out of scope')),
    ...slowest(outcomes),
    '',
  ].join('\n');
}

function listed(title: string, outcomes: readonly LimboOutcome[]): string[] {
  return [`${outcomes.length} ${title}`, ...outcomes.map(({ id, reason }) => `  ${id}: ${reason}`)];
}

/** Out-of-scope cases by reason. */
function counted(outcomes: readonly LimboOutcome[]): string[] {
  const byReason = [...Map.groupBy(outcomes, ({ reason }) => reason)];
  return [`${outcomes.length} out of scope`, ...byReason.map(([reason, all]) => `  ${all.length} ${reason}`)];
}

function slowest(outcomes: readonly LimboOutcome[]): string[] {
  const [first] = outcomes.toSorted((a, b) => b.milliseconds - a.milliseconds);
  return first ? [`slowest: ${first.id}, ${first.milliseconds.toFixed(1)} ms`] : [];
}

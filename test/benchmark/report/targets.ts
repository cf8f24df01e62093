import type { CaseResult } from '../cases/case.ts';
import { type Measurement, ratioOf } from '../measure/rounds.ts';
import type { Table } from './table.ts';

/** A limit that this project has set itself (docs/performance.md), and what a run measured. */
export interface Target {
  readonly title: string;
  readonly limit: number;
  readonly measured: number;
  readonly unit: '×' | '%' | 'ms' | 'MiB' | '';
}

/** The CPU time of a contender relative to another one in the same run. No target if one of them was not measured. */
export function ratioTarget(
  measurements: readonly Measurement[],
  { title, contender, relativeTo, limit }: { title: string; contender: string; relativeTo: string; limit: number },
): readonly Target[] {
  const find = (name: string) => measurements.find((measurement) => measurement.contender === name)?.cpuByRound;
  const [cost, reference] = [find(contender), find(relativeTo)];
  if (cost === undefined || reference === undefined) return [];
  return [{ title, limit, measured: ratioOf(cost, reference).median, unit: '×' }];
}

export function targetTable(results: Iterable<CaseResult>): Table {
  const targets = [...results].flatMap(({ targets = [] }) => targets);
  return {
    title: 'Targets',
    columns: ['target', 'at most', 'measured', 'met'],
    rows: targets.map(({ title, limit, measured, unit }) => [
      title,
      withUnit(limit, unit),
      withUnit(measured, unit),
      measured <= limit ? 'yes' : 'no',
    ]),
    notes: [],
  };
}

function withUnit(value: number, unit: Target['unit']): string {
  const isSmall = value < 10 && !Number.isInteger(value);
  return `${value.toFixed(unit === '×' ? 2 : Number(isSmall))} ${unit}`.trim();
}

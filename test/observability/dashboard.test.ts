import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { repositoryRoot } from '../support/repository-root.ts';

/**
 * What Grafana needs of a dashboard in its classic JSON model. The strict decoder of the Grafana Foundation SDK (Go, 0.0.22)
 * and the types of `@grafana/schema` 13.2 accept the whole file; the latter do not know the `definition` of variables.
 */
const datasource = z.strictObject({
  type: z.literal('prometheus'),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana
  uid: z.literal('${datasource}'),
});
const gridPos = z.strictObject({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1), h: z.int().min(1) });
const target = z.looseObject({
  refId: z.string().regex(/^[A-Z]$/),
  expr: z.string().min(1),
  legendFormat: z.string().min(1),
  datasource,
});
const place = { id: z.int().min(1), title: z.string().min(1), gridPos };
const row = z.looseObject({ ...place, type: z.literal('row'), collapsed: z.literal(false), panels: z.tuple([]) });
const graph = {
  ...place,
  description: z.string().min(1).optional(),
  datasource,
  targets: z.array(target).min(1),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({ unit: z.string() }),
    overrides: z.array(z.unknown()),
  }),
};
/** Of the range of the dashboard, the last value of a series that has ended, such as of a fixed file, would stay on display. */
const instantTarget = target.extend({ instant: z.literal(true), range: z.literal(false) });
const thresholds = z.strictObject({
  mode: z.literal('absolute'),
  steps: z.array(z.strictObject({ color: z.string(), value: z.number().nullable() })).min(1),
});
/** Every option has a value in the schema of its panel. */
const stat = z.looseObject({
  ...graph,
  type: z.literal('stat'),
  targets: z.array(instantTarget).min(1),
  fieldConfig: graph.fieldConfig.extend({ defaults: z.looseObject({ unit: z.string(), thresholds }) }),
  options: z.strictObject({
    reduceOptions: z.strictObject({
      calcs: z.tuple([z.literal('lastNotNull')]),
      fields: z.string(),
      values: z.boolean(),
    }),
    orientation: z.literal('auto'),
    textMode: z.enum(['auto', 'value_and_name']),
    wideLayout: z.boolean(),
    colorMode: z.literal('background'),
    graphMode: z.literal('none'),
    justifyMode: z.literal('auto'),
    showPercentChange: z.boolean(),
    percentChangeColorMode: z.literal('standard'),
  }),
});
const timeseries = z.looseObject({
  ...graph,
  type: z.literal('timeseries'),
  options: z.strictObject({
    legend: z.strictObject({
      showLegend: z.boolean(),
      displayMode: z.literal('list'),
      placement: z.literal('bottom'),
      calcs: z.tuple([]),
    }),
    tooltip: z.strictObject({ mode: z.literal('multi'), sort: z.literal('desc') }),
  }),
});
const variable = z.looseObject({
  name: z.string(),
  type: z.enum(['datasource', 'query']),
  current: z.strictObject({ text: z.array(z.string()), value: z.array(z.string()) }).optional(),
});
const dashboard = z.looseObject({
  title: z.string(),
  uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
  schemaVersion: z.int().min(36),
  panels: z.array(z.discriminatedUnion('type', [row, stat, timeseries])).min(10),
  templating: z.strictObject({ list: z.array(variable) }),
});

const file = readFileSync(join(repositoryRoot, 'deploy/observability/grafana-dashboard.json'), 'utf8');

test('the dashboard has the form that Grafana reads', () => {
  expect(dashboard.safeParse(JSON.parse(file)).error).toBeUndefined();
});

test('the panels of the dashboard have ids of their own, and do not overlap', () => {
  const { panels } = dashboard.parse(JSON.parse(file));
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});

test('the queries of a panel have names of their own, and use variables that the dashboard has', () => {
  const { panels, templating } = dashboard.parse(JSON.parse(file));
  // Grafana defines it: the shortest range that contains two scrapes.
  const variables = ['__rate_interval', ...templating.list.map(({ name }) => name)];
  for (const panel of panels) {
    const targets = panel.type === 'row' ? [] : panel.targets;
    expect(new Set(targets.map(({ refId }) => refId)).size, panel.title).toBe(targets.length);
    const used = targets.flatMap(({ expr }) => [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name));
    expect(used.filter((name) => !variables.includes(String(name)))).toEqual([]);
  }
});

test('a panel has the unit of its metrics, and its legend names the labels that distinguish the series', () => {
  for (const panel of dashboard.parse(JSON.parse(file)).panels) {
    if (panel.type === 'row') continue;
    for (const { expr, legendFormat } of panel.targets) {
      expect(unitsOf(expr), panel.title).toContain(panel.fieldConfig.defaults.unit);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect(named, `${panel.title}: ${legendFormat}`).toEqual(labelsOf(expr));
    }
  }
});

function unitsOf(expr: string): readonly string[] {
  if (expr.includes('_cpu_seconds_total')) return ['percentunit'];
  if (/_seconds(?:_bucket)?\b/.test(expr)) return ['s'];
  if (/_bytes\b/.test(expr)) return ['bytes'];
  return /_total\b/.test(expr) ? ['reqps', 'cps'] : ['short'];
}

/** Those that the outermost aggregation keeps; a metric without one is of each replica. */
function labelsOf(expr: string): readonly string[] {
  const aggregated = /^(?:time\(\) - |histogram_quantile\([\d.]+, )?(?:sum|count|min|max)(?: by \(([^)]*)\))? ?\(/.exec(
    expr,
  );
  if (!aggregated) return ['instance'];
  return aggregated[1]?.split(', ').filter((label) => label !== 'le') ?? [];
}

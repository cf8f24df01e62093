import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { registeredMetrics } from '../support/registered-metrics.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { shippedExpressions } from '../support/shipped-expressions.ts';

const textOf = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const page = textOf('docs/metrics.md');
const alerts = textOf('docs/alerts.md');
const metrics = new Map(registeredMetrics().map((metric) => [metric.name, metric]));

test('docs/metrics.md lists every metric with its type and its labels', () => {
  const rows = page.matchAll(/^\| `(countersign_\w+)` \| (\w+) \|([^|]*)\|/gm);
  const documented = [...rows].map(([, name, type, labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }));
  const registered = [...metrics.values()].map(({ name, type, labels }) => ({ name, type, labels }));
  const byName = (one: { name?: string | undefined }, other: { name?: string | undefined }) =>
    String(one.name) < String(other.name) ? -1 : 1;
  expect(documented.sort(byName)).toEqual(registered.sort(byName));
});

describe('the shipped rules and dashboard', () => {
  const expressions = shippedExpressions();

  test('have expressions of every kind of metric', () => {
    expect(expressions.length).toBeGreaterThan(50);
  });

  test.each(expressions)('%s uses metrics that exist, with labels that they have: %s', (_, expression) => {
    const selectors = [...expression.matchAll(/\b(countersign_\w+)(?:\{([^}]*)\})?/g)];
    expect(selectors.length).toBeGreaterThan(0);
    const wrong = selectors.flatMap(([, name = '', matchers = '']) => {
      const metric = metrics.get(name) ?? metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''));
      const known = metric && ['namespace', 'job', 'instance', 'le', ...metric.labels];
      const labels = [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
      return known ? labels.filter((label) => !known.includes(label)).map((label) => `${name}{${label}}`) : [name];
    });
    expect(wrong).toEqual([]);
  });

  test('each alert has a section of docs/alerts.md as its runbook, with impact, check and fix', () => {
    // The rules have the form that the test of promtool requires.
    const { groups } = parse(textOf('deploy/observability/prometheus-rules.yaml')) as {
      groups: { rules: { alert: string; annotations: Record<string, string> }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(20);
    const sections = alertSections();
    expect([...sections.keys()].sort()).toEqual(rules.map(({ alert }) => alert).sort());
    for (const { alert, annotations } of rules) {
      const section = sections.get(alert) ?? '';
      expect(section.match(/^\*\*\w+\.\*\*/gm), alert).toEqual(['**Impact.**', '**Check.**', '**Fix.**']);
      expect(alerts, 'the table at the top').toContain(`](#${alert.toLowerCase()})`);
      expect(annotations).toEqual({
        summary: expect.any(String),
        runbook: expect.stringMatching(/^[A-Z].*\.$/),
        details: expect.stringMatching(`^docs/alerts\\.md#${alert.toLowerCase()}$`),
      });
    }
  });
});

/** By the name of the alert. */
function alertSections(): ReadonlyMap<string, string> {
  const sections = alerts.split(/^### /m).slice(1);
  return new Map(sections.map((section) => [section.split('\n', 1)[0] ?? '', section]));
}

test.each(['docs/alerts.md', 'docs/troubleshooting.md'])('%s names metrics, events and codes that exist', (name) => {
  const others = ['rejections', 'configuration', 'http', 'clients'].map((each) => textOf(`docs/${each}.md`));
  const known = [page, ...others].join('\n');
  const named = [...textOf(name).matchAll(/`([a-z]+(?:_[a-z0-9]+)+)`/g)].map(([, word = '']) => word);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((word) => !new RegExp(`\\b${word}\\b`).test(known) && !ofOthers.has(word))).toEqual([]);
});

/** A metric of Kubernetes, and a setting of Prometheus. */
const ofOthers: ReadonlySet<string> = new Set(['container_cpu_cfs_throttled_periods_total', 'rule_files']);

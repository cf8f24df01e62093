import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repositoryRoot } from './repository-root.ts';

const folder = join(repositoryRoot, 'deploy/observability');
export const rulesFile = join(folder, 'prometheus-rules.yaml');

/** Every PromQL expression that we ship, after the name of the alert or panel that it belongs to. */
export function shippedExpressions(): (readonly [string, string])[] {
  const dashboard: unknown = JSON.parse(readFileSync(join(folder, 'grafana-dashboard.json'), 'utf8'));
  const rules: unknown = parse(readFileSync(rulesFile, 'utf8'));
  return [...expressionsIn(rules), ...expressionsIn(dashboard)];
}

/** Those of an object with the member `expr`, and of all objects in it; a panel has its title outside. */
function expressionsIn(value: unknown, owner = ''): (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const { alert, title, expr } = value as Readonly<Record<string, unknown>>;
  const name = [alert, title].find((each) => typeof each === 'string') ?? owner;
  const own = typeof expr === 'string' ? [[String(name), expr] as const] : [];
  return [...own, ...Object.values(value).flatMap((member) => expressionsIn(member, String(name)))];
}

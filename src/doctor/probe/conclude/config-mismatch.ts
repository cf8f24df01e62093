import type { EffectiveConfig } from '../../observer/effective-config.ts';

/**
 * Reports in which settings replicas differ; undefined when they agree. Only `listens_on` may differ: otherwise one
 * replica accepts as a certificate what is a forgery to another, and no conclusion holds for both.
 */
export function configMismatch([first, ...others]: readonly [EffectiveConfig, ...EffectiveConfig[]]):
  | string
  | undefined {
  const { listens_on, ...compared } = first;
  // Safe: these are the names of the members that are compared.
  const names = Object.keys(compared) as (keyof typeof compared)[];
  const different = names.filter((name) => others.some((other) => !isEqual(other[name], first[name])));
  if (different.length === 0) return undefined;
  return (
    `the replicas are configured differently (${different.join(', ')}), so nothing was sent. ` +
    'Fix: give all replicas the same settings; each logs its effective configuration on startup'
  );
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

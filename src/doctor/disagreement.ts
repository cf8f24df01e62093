import type { Belief } from './observer/endpoint.ts';

/**
 * In what replicas differ that must not, or undefined: each of them may listen somewhere else, and nothing more. What one
 * takes for a forgery is another one's proof, so nothing can be said of them together.
 */
export function disagreement([first, ...others]: readonly [Belief, ...Belief[]]): string | undefined {
  const { listens_on, ...compared } = first;
  // Safe: these are the names of what is compared.
  const names = Object.keys(compared) as (keyof typeof compared)[];
  const different = names.filter((name) => others.some((other) => !isSame(other[name], first[name])));
  if (different.length === 0) return undefined;
  return (
    `the replicas are configured differently, in ${different.join(', ')}, and nothing was sent. ` +
    'Mend: give all of them the same settings; each prints what it believes at start'
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

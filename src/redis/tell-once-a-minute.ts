const AGAIN_AFTER_MILLISECONDS = 60_000;
const MAX_REASONS = 20;

/**
 * Hands problems on, and (undefined) that there is none. ioredis reports every failed attempt, and for one state more
 * than one reason; each is told once a minute, until all is well.
 */
export function tellOnceAMinute(tell: (problem: string | undefined) => void): (problem: string | undefined) => void {
  const told = new Map<string, number>();
  return (problem) => {
    if (problem === undefined) told.clear();
    else {
      const last = told.get(problem);
      if (last !== undefined && performance.now() - last < AGAIN_AFTER_MILLISECONDS) return;
      if (told.size > MAX_REASONS) told.clear();
      told.set(problem, performance.now());
    }
    tell(problem);
  };
}

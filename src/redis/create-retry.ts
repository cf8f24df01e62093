const LONGEST_PAUSE_MILLISECONDS = 2_000;

/** Tries something again after a pause that grows with each failure. */
export interface Retry {
  failed(): void;
  succeeded(): void;
}

export function createRetry(again: () => void): Retry {
  let failures = 0;
  return {
    failed: () => {
      failures++;
      setTimeout(again, Math.min(50 * 2 ** failures, LONGEST_PAUSE_MILLISECONDS)).unref();
    },
    succeeded: () => {
      failures = 0;
    },
  };
}

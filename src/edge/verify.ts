import type { DecideCheck } from './check.ts';
import { Denial } from './denial.ts';

/** Verifies the bound token of a check. */
export function createVerifier(): DecideCheck {
  return async ({ headers }) => {
    const reason =
      headers.all('authorization').length === 0 ? 'the request has no Authorization header' : 'not implemented';
    throw new Denial('invalid_token', reason);
  };
}

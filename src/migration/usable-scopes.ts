import { isScopeToken } from '../oauth/scope.ts';
import type { Comments } from './draft.ts';

/** The scopes that a record can hold, once each; a name with a space in it would silently be two. Others become notes. */
export function usableScopes(names: readonly string[], { notes }: Comments): string[] {
  return [...new Set(names)].filter((name) => {
    const usable = isScopeToken(name);
    if (!usable) notes.push(`the scope "${name}" is left out: no request can name it`);
    return usable;
  });
}

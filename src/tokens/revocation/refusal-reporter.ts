import { AclDeniedError } from '../../redis/guarded-redis.ts';
import type { TokenStore } from '../token-store.ts';
import { NoStreamError } from './revocation-store.ts';

/**
 * Reports why Redis refuses commands although it is connected: what the ACL denies, a key of another type, a command that
 * it does not know. The connection of the registry reports that it is unreachable.
 *
 * @param report called on changes; with undefined once a command has succeeded
 * @returns called with the error of each command, or with undefined if it has succeeded
 */
export function refusalReporter(
  { connection, redis }: TokenStore,
  report: (problem: string | undefined) => void,
): (error: unknown) => void {
  let reported: string | undefined;
  return (error) => {
    const problem = error === undefined ? undefined : refusalOf(error);
    if (error !== undefined && problem === undefined) return;
    if (problem !== reported) report(problem);
    reported = problem;
  };

  function refusalOf(error: unknown): string | undefined {
    if (!(error instanceof Error) || connection.problem !== undefined) return undefined;
    const isRefused = error instanceof AclDeniedError || error instanceof NoStreamError || redis.problem !== undefined;
    return isRefused ? error.message.replace(SINGLE_KEY, '$1*') : undefined;
  }
}

/** A key of one token, client or audience (`RevocationKeys`). Its problem is that of all, and is to be logged once. */
const SINGLE_KEY = /(\brevoked:)(?:jti|client|audience):[\w-]{22,}/g;

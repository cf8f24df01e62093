import type { Redis } from 'ioredis';
import type { Explain } from './explain-for.ts';

/** What is to be told of. */
export interface Watched {
  /** What the keys begin with whose changes are to be told. */
  readonly prefixes: readonly string[];
  /** Where our own commands tell what they change. */
  readonly channel: string;
}

/** Who tells of changes now; where it is not Redis itself, why it does not. */
export type Armed =
  | { readonly notification: 'tracking'; readonly problem: undefined }
  | { readonly notification: 'notices'; readonly problem: string };

const INVALIDATE = '__redis__:invalidate';

/**
 * Makes a new connection one on which changes are told. After that there is little else that may be asked on it.
 *
 * One connection both tracks and listens: with RESP2 Redis sends what it invalidates to a connection that is named, and
 * a connection may name itself. So there are not two that could be lost one without the other.
 *
 * @throws where Redis lets it not even listen to the channel, or the connection does not work
 */
export async function armConnection(redis: Redis, { prefixes, channel }: Watched, explain: Explain): Promise<Armed> {
  const refused = (await refusal(track(redis, prefixes))) ?? (await refusal(redis.subscribe(INVALIDATE)));
  if (refused === undefined) return { notification: 'tracking', problem: undefined };
  await redis.subscribe(channel);
  return { notification: 'notices', problem: explain(refused) };
}

/** What Redis says where it says no. Anything else is a connection that does not work. */
async function refusal(answer: Promise<unknown>): Promise<Error | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return error;
    throw error;
  }
}

async function track(redis: Redis, prefixes: readonly string[]): Promise<void> {
  const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
  const id = String(await redis.client('ID'));
  await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...scope);
}

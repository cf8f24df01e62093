import type { Redis } from 'ioredis';

/** How many commands a server has executed, without those that watch connections, and without reads of the revocation feed. */
export async function commandsOf(redis: Redis): Promise<number> {
  const statistics = await redis.info('commandstats');
  const calls = [...statistics.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const counted = calls.filter(([, command = '']) => !/^(?:ping|info|hello|xrange|client\|.*)$/.test(command));
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';

/**
 * Run as a process: opens many connections to the Redis of its argument, and closes each a millisecond later after its
 * second than the one before, so that some are just then asking what is asked once a second.
 */
const [, , url = ''] = process.argv;
const address = parseRedisUrl(url);
const connections = await Promise.all(
  Array.from({ length: 60 }, () =>
    openRedis({ address, tls: {}, commandTimeoutMilliseconds: 2_000, onStatusChange: () => {} }),
  ),
);
await delay(850);
for (const connection of connections) {
  connection.close();
  await delay(5);
}

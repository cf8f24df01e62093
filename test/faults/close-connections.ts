import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';

/**
 * Runs as a process: opens many connections to the Redis at its argument, and closes them at increasing times after that,
 * so that some are closed during their periodic slot refresh.
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

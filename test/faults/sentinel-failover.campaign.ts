import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startSentinelDeployment } from '../support/redis-sentinel.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The sentinel that is asked for the master replies slowly, while failovers are announced at once. */
const ONE_WAY_MILLISECONDS = 400;

describeWith(['redis-server'], 'a failover that is announced while the master is being looked up', () => {
  test('is followed, and does not end the connection', async () => {
    const deployment = await startSentinelDeployment({ directory: temporaryDirectory() });
    onTestFinished(() => deployment.stop());
    const [port = 0] = deployment.sentinelPorts;
    const proxy = await startFaultProxy({ target: { port } });
    onTestFinished(() => proxy.stop());
    const address = parseRedisUrl(`redis+sentinel://127.0.0.1:${proxy.port}/${deployment.masterName}`);
    const connection = await openRedis({ address, tls: {}, commandTimeoutMilliseconds: 500, onStatusChange: () => {} });
    onTestFinished(() => connection.close());
    const { redis } = connection;
    await redis.set('key', 'before');
    proxy.setLatency(ONE_WAY_MILLISECONDS);
    const master = await deployment.currentMaster();
    master.kill('SIGKILL');
    await deployment.masterAfter(master);
    proxy.setLatency(0);
    await eventually(
      async () => (await redis.set('key', 'after').catch(() => '')) === 'OK',
      () => `it stays ${redis.status}`,
      6_000,
    );
    expect(redis.status).toBe('ready');
  });
});

/** The lookup has a timeout of one second, and the handshake comes first. */
const SHORTER_ONE_WAY_MILLISECONDS = 200;

describeWith(['redis-server'], 'a failover between the reply of a sentinel and our subscription', () => {
  test('is followed although it is not announced and the old master stays up', async () => {
    const { masterName, ...deployment } = await startSentinelDeployment({ directory: temporaryDirectory() });
    onTestFinished(() => deployment.stop());
    const [port = 0] = deployment.sentinelPorts;
    for (const other of deployment.sentinels.slice(1)) other.kill('SIGKILL');
    const old = await deployment.currentMaster();
    const next = deployment.nodes.find((node) => node !== old);
    if (!next) throw new Error('two nodes are needed');
    const proxy = await startFaultProxy({ target: { port } });
    onTestFinished(() => proxy.stop());
    proxy.setLatency(SHORTER_ONE_WAY_MILLISECONDS);
    const address = parseRedisUrl(`redis+sentinel://127.0.0.1:${proxy.port}/${masterName}`);
    const opening = openRedis({ address, tls: {}, commandTimeoutMilliseconds: 500, onStatusChange: () => {} });
    const isLookedUp = () => proxy.connections().some(({ sent }) => sent.includes('get-master-addr-by-name'));
    await eventually(isLookedUp, () => 'no sentinel was asked for the master');
    await delay(SHORTER_ONE_WAY_MILLISECONDS + 20);
    // Like a failover, which would take longer and be announced by the sentinel.
    await sendRedisCommand(next.port, ['REPLICAOF', 'NO', 'ONE']);
    await sendRedisCommand(port, ['SENTINEL', 'REMOVE', masterName]);
    await sendRedisCommand(port, ['SENTINEL', 'MONITOR', masterName, '127.0.0.1', String(next.port), '1']);
    await sendRedisCommand(next.port, ['SET', 'who', 'next']);
    const connection = await opening;
    onTestFinished(() => connection.close());
    proxy.setLatency(0);
    await eventually(
      async () => (await connection.redis.get('who').catch(() => '')) === 'next',
      () => `it follows the old master: ${connection.problem ?? 'no problem'}`,
      4_000,
    );
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { type ClusterDeployment, startClusterDeployment } from '../support/redis-cluster.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COUNT = 2_000;
const KEY = 'countersign:client:c0';

/** Migrates the client's record to another master, and leaves its slot migrating, as during a long `reshard`. */
async function startMigration({ nodes, masterOfKey }: ClusterDeployment): Promise<void> {
  const from = await masterOfKey(KEY);
  const to = nodes.find((node) => node !== from);
  if (!to) throw new Error('two masters are needed');
  const [idOfFrom, idOfTo] = [
    await sendRedisCommand(from.port, ['CLUSTER', 'MYID']),
    await sendRedisCommand(to.port, ['CLUSTER', 'MYID']),
  ];
  const slot = String(await sendRedisCommand(from.port, ['CLUSTER', 'KEYSLOT', KEY]));
  await sendRedisCommand(to.port, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(idOfFrom)]);
  await sendRedisCommand(from.port, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(idOfTo)]);
  await sendRedisCommand(from.port, ['MIGRATE', '127.0.0.1', String(to.port), KEY, '0', '1000']);
}

describeWith(['redis-server'], 'while a slot of a Cluster migrates', () => {
  test('every command of countersign clients succeeds', async () => {
    const folder = temporaryDirectory();
    const cluster = await startClusterDeployment({ directory: folder });
    onTestFinished(cluster.stop);
    const env = { COUNTERSIGN_REDIS_URL: `redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}` };
    const clients = (...args: string[]) => runCountersign(['clients', ...args], { env });
    const fileOf = (scope: string) => {
      const record = (name: string) =>
        JSON.stringify({
          client_id: name,
          token_endpoint_auth_method: 'tls_client_auth',
          tls_client_auth_san_dns: name,
          scope,
        });
      const file = join(folder, `${scope}.jsonl`);
      writeFileSync(file, Array.from({ length: COUNT }, (_, number) => `${record(`c${number}`)}\n`).join(''));
      return file;
    };
    expect((await clients('apply', '-f', fileOf('before'))).code).toBe(0);
    await startMigration(cluster);
    const listed = await clients('list', '--output', 'json');
    expect([listed.code, JSON.parse(listed.stdout).clients.length]).toEqual([0, COUNT]);
    const applied = await clients('apply', '-f', fileOf('after'));
    expect([applied.code, applied.stdout]).toEqual([0, expect.stringContaining(`${COUNT} written`)]);
    expect((await clients('plan', '-f', fileOf('after'), '--prune', '--detailed-exitcode')).code).toBe(0);
    expect((await clients('disable', 'c0')).code).toBe(0);
  });
});

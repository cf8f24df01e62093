import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { openTokenStore } from '../../src/service/token-store.ts';
import { changeKeyring, createKeyring } from '../../src/tokens/keyring/redis/change-keyring.ts';
import { withoutKey } from '../../src/tokens/keyring/redis/changes.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis-server.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { keyringAclRules } from '../support/server-acl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { changeOptions, startServer } from '../tokens/keyring/redis/servers.ts';

const prefix = `test:${randomUUID()}:`;
const connecting = 'resetchannels -@all +hello +auth +ping +info';
const user = (ofCluster = '') => `keys on >secret ${connecting}${ofCluster} ${keyringAclRules(prefix)}`;

async function startSingle() {
  const aclRules = [user()];
  const { port, stop } = await startRedis({
    program: programPath('redis-server'),
    directory: temporaryDirectory(),
    aclRules,
  });
  return { url: `redis://keys:secret@127.0.0.1:${port}`, flush: () => sendRedisCommand(port, ['FLUSHALL']), stop };
}

async function startCluster() {
  const rules = user(' +cluster|slots +cluster|info +readonly +asking +client|setname');
  const args = ['--user', ...rules.split(' ')];
  const { nodes, masterOfKey, stop } = await startClusterDeployment({ directory: temporaryDirectory(), args });
  const flush = async () => sendRedisCommand((await masterOfKey(`${prefix}keyring`)).port, ['FLUSHALL']);
  return { url: `redis+cluster://keys:secret@127.0.0.1:${nodes[0]?.port}`, flush, stop };
}

for (const [name, start] of [
  ['Redis', startSingle],
  ['a Redis Cluster', startCluster],
] as const) {
  describeWith(['redis-server'], `a keyring in ${name}, with the documented ACL,`, () => {
    test('is created, followed, changed, maintained and written back', async () => {
      await using opened = new AsyncDisposableStack();
      const deployment = await start();
      opened.defer(async () => void (await deployment.stop()));
      const store = await openTokenStore({ address: parseRedisUrl(deployment.url), tls: {}, keyPrefix: prefix });
      opened.defer(() => store.connection.close());
      expect(store.connection.problem).toBeUndefined();

      const settings = { publishAhead: 1_000, rotation: 1_200, retention: 2_000, clockTolerance: 50 };
      const options = await changeOptions(store.connection.redis, prefix, { settings });
      const { after: first } = await createKeyring(options, { first: 'ES256', algorithm: undefined });
      const servers = await Promise.all([1, 2].map(() => startServer(deployment.url, { prefix, settings })));
      for (const server of servers) opened.defer(server.stop);
      for (const { keyring } of servers) expect(keyring.signingKey().keyId).toBe(first.keys[0]?.keyId);

      const { after: second } = await changeKeyring(options, (keyring, now) =>
        withoutKey(keyring, keyring.keys[0]?.keyId ?? '', now),
      );
      const log = () => JSON.stringify(servers.map((server) => server.log));
      const hasRemoved = () => servers.every(({ keyring }) => !keyring.find(first.keys[0]?.keyId ?? ''));
      await eventually(hasRemoved, log);

      await deployment.flush();
      const restored = async () => (await options.store.read()).value.type === 'string';
      await eventually(restored, log);

      // A key that no command has created.
      const isNew = (keyId: string) => second.keys.every((key) => key.keyId !== keyId);
      await eventually(() => servers.every(({ keyring }) => isNew(keyring.signingKey().keyId)), log);
    });
  });
}

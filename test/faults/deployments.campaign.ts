import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { impatientRedis } from '../support/impatient-redis.ts';
import { programPath } from '../support/program-path.ts';
import { keyPrefix } from '../support/redis.ts';
import { type ClusterDeployment, startClusterDeployment } from '../support/redis-cluster.ts';
import type { RedisNode } from '../support/redis-node.ts';
import { mintRedisPki, type RedisPki } from '../support/redis-pki.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';
import { type SentinelDeployment, startSentinelDeployment } from '../support/redis-sentinel.ts';
import { startTlsRedis, type TlsRedis } from '../support/redis-tls.ts';
import { runProgram } from '../support/run-program.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { serverAclRule } from '../support/server-acl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const needed = ['redis-server'] as const;
describeWith(needed, 'a Sentinel deployment', () => {
  const password = 'data';
  let deployment: SentinelDeployment;
  let client: Redis;
  beforeAll(async () => {
    const options = { sentinelPassword: 'watch', aclRules: ['reader on >read ~* +get'] };
    deployment = await startSentinelDeployment({ directory: temporaryDirectory(), password, ...options });
    const sentinels = deployment.sentinelPorts.map((port) => ({ host: '127.0.0.1', port }));
    client = new Redis({ sentinels, name: deployment.masterName, sentinelPassword: 'watch', password });
    client.on('error', () => {}); // The master is killed.
  });
  afterAll(async () => {
    client?.disconnect();
    await deployment?.stop();
  });

  it('fails over when the master is killed, and takes the old master back as a replica', async () => {
    const master = await deployment.currentMaster();
    expect(master).toBe(deployment.nodes[0]);
    await client.set('key', 'value');
    expect(await client.wait(2, 1000)).toBe(2);
    master.kill('SIGKILL');
    const next = await deployment.masterAfter(master);
    expect(await deployment.currentMaster()).toBe(next);
    expect(next).not.toBe(master);
    expect(await sendRedisCommand(next.port, ['GET', 'key'], { username: 'reader', password: 'read' })).toBe('value');
    await master.restart();
    // A Sentinel closes all connections of a node that it makes a replica.
    const info = () => sendRedisCommand(master.port, ['INFO', 'replication'], { password }).then(String, String);
    await eventually(
      async () => (await info()).includes('master_link_status:up'),
      () => 'it does not follow',
    );
  });
});

describeWith(needed, 'a Cluster deployment', () => {
  let deployment: ClusterDeployment;
  let cluster: Cluster;
  beforeAll(async () => {
    deployment = await startClusterDeployment({ directory: temporaryDirectory(), replicas: 1 });
    const options = { slotsRefreshInterval: 200, redisOptions: { commandTimeout: 300 } };
    cluster = new Cluster([{ host: '127.0.0.1', port: deployment.nodes[0]?.port ?? 0 }], options);
  });
  afterAll(async () => {
    cluster?.disconnect();
    await deployment?.stop();
  });

  it('keeps no process from ending that closes its connections', async () => {
    const url = `redis+cluster://127.0.0.1:${deployment.nodes[0]?.port}`;
    const script = join(import.meta.dirname, 'close-connections.ts');
    const { code, stderr } = await runProgram(process.execPath, [script, url], { timeout: 10_000 });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('serves the keys of each master, and a replica takes the place of a dead one', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    for (const key of keys) await cluster.set(key, key);
    const masters = await Promise.all(keys.map(deployment.masterOfKey));
    expect(new Set(masters)).toEqual(new Set(deployment.nodes.filter(({ role }) => role === 'master')));
    const [master] = masters;
    master?.kill('SIGKILL');
    await eventually(
      async () => (await deployment.masterOfKey('key-0').catch(() => master)) !== master,
      () => 'none',
    );
    await deployment.waitUntilOk();
    expect((await deployment.masterOfKey('key-0')).role).toBe('replica');
    await eventually(
      async () => (await cluster.get('key-0').catch(() => '')) === 'key-0',
      () => 'it is not found',
    );
  });
});

describeWith(needed, 'Redis over TLS with access control', () => {
  let redis: TlsRedis;
  beforeAll(async () => {
    const options = { program: programPath('redis-server'), directory: temporaryDirectory() };
    const aclRules = ['default off', 'server on >secret ~a:* -@all +get +ping (+set ~b:*)'];
    redis = await startTlsRedis({ ...options, clientCertificates: true, aclRules });
  });
  afterAll(() => redis?.stop());

  const connect = (tls: object, options: object = { username: 'server', password: 'secret' }) =>
    impatientRedis(redis.url, { ...options, enableReadyCheck: false, tls: { ca: redis.ca.pem, ...tls } });
  const identity = () => ({ cert: redis.client.pem, key: redis.client.privateKeyPem });

  it('refuses a client without a certificate', async () => {
    const [stranger, client] = [connect({}), connect(identity())];
    await expect(stranger.ping()).rejects.toThrow();
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('lets a user do what its rules say', async () => {
    const [client, nobody] = [connect(identity()), connect(identity(), { protocol: 2 })];
    expect(await client.get('a:x')).toBeNull();
    expect(await client.set('b:x', '1')).toBe('OK');
    for (const refused of [client.get('b:x'), client.set('a:x', '1')]) await expect(refused).rejects.toThrow('NOPERM');
    await expect(nobody.get('a:x')).rejects.toThrow('NOAUTH');
    for (const each of [client, nobody]) each.disconnect();
  });
});

describeWith(needed, 'a registry over TLS, with our own certificate', () => {
  const prefix = keyPrefix();
  const key = `${prefix}client:a`;
  const method = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a' };

  interface Deployed {
    readonly url: string;
    readonly tls: RedisPki['client'];
    /** Who has the key now. */
    readonly master: () => Promise<RedisNode>;
    /** Until there is one again, after that master was killed. */
    readonly recover: (killed: RedisNode) => Promise<unknown>;
  }

  /** As the user of docs/redis.md. */
  async function follow({ url, tls, master, recover }: Deployed): Promise<void> {
    const write = async (scope: string) => {
      const record = JSON.stringify({ client_id: 'a', ...method, scope });
      await sendRedisCommand((await master()).port, ['SET', key, record], { tls });
    };
    await write('first');
    const { registry, problems, reasons } = await openRedisRegistry(url, { prefix, tls });
    onTestFinished(() => registry.close());
    const untilNotified = (notification: string) =>
      eventually(
        () => registry.remote?.invalidationMode === notification,
        () => `not ${notification}: ${problems}, ${reasons}`,
      );
    const untilSeen = (scope: string) =>
      eventually(
        async () => (await registry.find('a').catch(() => undefined))?.scopes.join() === scope,
        () => `${scope} is not seen: ${problems}`,
        1_000,
      );
    await untilNotified('tracking');
    await untilSeen('first');
    await write('second');
    await untilSeen('second');
    const killed = await master();
    killed.kill('SIGKILL');
    await untilNotified('none');
    await recover(killed);
    await untilNotified('tracking');
    for (const scope of ['third', 'fourth']) {
      await write(scope);
      await untilSeen(scope);
    }
  }

  const hostsOf = (ports: readonly number[]) => ports.map((port) => `127.0.0.1:${port}`).join(',');

  it('reads from a Cluster, is told of changes, and recovers when a master is restarted', async () => {
    const directory = temporaryDirectory();
    const tls = mintRedisPki(directory);
    const args = ['--user', ...serverAclRule(prefix, 'secret', true).split(' ')];
    const deployment = await startClusterDeployment({ directory, tls, args });
    onTestFinished(() => deployment.stop());
    await follow({
      url: `rediss+cluster://server:secret@${hostsOf(deployment.nodes.map(({ port }) => port))}`,
      tls: tls.client,
      master: () => deployment.masterOfKey(key),
      recover: async (killed) => {
        await killed.restart();
        await deployment.waitUntilOk();
      },
    });
  });

  it('reads from the master that Sentinels name, is told of changes, and follows a failover', async () => {
    const directory = temporaryDirectory();
    const tls = mintRedisPki(directory);
    const aclRules = [serverAclRule(prefix, 'secret')];
    const deployment = await startSentinelDeployment({ directory, tls, aclRules, sentinelPassword: 'watch' });
    onTestFinished(() => deployment.stop());
    const { masterName, sentinelPorts } = deployment;
    await follow({
      url: `rediss+sentinel://server:secret@${hostsOf(sentinelPorts)}/${masterName}?sentinel_password=watch`,
      tls: tls.client,
      master: deployment.currentMaster,
      recover: deployment.masterAfter,
    });
  });
});

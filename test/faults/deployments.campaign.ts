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

  it('fails over when the master is killed, and makes the restarted old master a replica', async () => {
    const master = await deployment.currentMaster();
    expect(master).toBe(deployment.nodes[0]);
    await client.set('key', 'value');
    expect(await client.wait(2, 30_000)).toBe(2);
    master.kill('SIGKILL');
    const next = await deployment.masterAfter(master);
    expect(await deployment.currentMaster()).toBe(next);
    expect(next).not.toBe(master);
    expect(await sendRedisCommand(next.port, ['GET', 'key'], { username: 'reader', password: 'read' })).toBe('value');
    await master.restart();
    // Sentinel closes all connections of a node that it demotes.
    const info = () => sendRedisCommand(master.port, ['INFO', 'replication'], { password }).then(String, String);
    await eventually(
      async () => (await info()).includes('master_link_status:up'),
      () => 'the old master does not replicate',
    );
  });
});

describeWith(needed, 'a Cluster deployment', () => {
  let deployment: ClusterDeployment;
  let cluster: Cluster;
  beforeAll(async () => {
    deployment = await startClusterDeployment({ directory: temporaryDirectory(), replicas: 1 });
    const options = { slotsRefreshInterval: 200, redisOptions: { commandTimeout: 2_000 } };
    cluster = new Cluster([{ host: '127.0.0.1', port: deployment.nodes[0]?.port ?? 0 }], options);
  });
  afterAll(async () => {
    cluster?.disconnect();
    await deployment?.stop();
  });

  it('does not keep a process alive that closes its connections', async () => {
    const url = `redis+cluster://127.0.0.1:${deployment.nodes[0]?.port}`;
    const script = join(import.meta.dirname, 'close-connections.ts');
    const { code, stderr } = await runProgram(process.execPath, [script, url], { timeout: 60_000 });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('serves the keys of each master, and promotes a replica when one is killed', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    for (const key of keys) await cluster.set(key, key);
    const masters = await Promise.all(keys.map(deployment.masterOfKey));
    expect(new Set(masters)).toEqual(new Set(deployment.nodes.filter(({ role }) => role === 'master')));
    const [master] = masters;
    master?.kill('SIGKILL');
    await eventually(
      async () => (await deployment.masterOfKey('key-0').catch(() => master)) !== master,
      () => 'no replica was promoted',
    );
    await deployment.waitUntilOk();
    expect((await deployment.masterOfKey('key-0')).role).toBe('replica');
    await eventually(
      async () => (await cluster.get('key-0').catch(() => '')) === 'key-0',
      () => 'the client does not find the new master',
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

  it('rejects a client without a certificate', async () => {
    const [anonymous, client] = [connect({}), connect(identity())];
    await expect(anonymous.ping()).rejects.toThrow();
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('permits a user what its ACL rules permit', async () => {
    const [client, unauthenticated] = [connect(identity()), connect(identity(), { protocol: 2 })];
    expect(await client.get('a:x')).toBeNull();
    expect(await client.set('b:x', '1')).toBe('OK');
    for (const refused of [client.get('b:x'), client.set('a:x', '1')]) await expect(refused).rejects.toThrow('NOPERM');
    await expect(unauthenticated.get('a:x')).rejects.toThrow('NOAUTH');
    for (const each of [client, unauthenticated]) each.disconnect();
  });
});

describeWith(needed, 'a registry over TLS with a client certificate', () => {
  const prefix = keyPrefix();
  const key = `${prefix}client:a`;
  const method = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a' };

  interface Deployed {
    readonly url: string;
    readonly tls: RedisPki['client'];
    /** Returns the node that holds the key now. */
    readonly master: () => Promise<RedisNode>;
    /** Waits until there is a master again, after that one was killed. */
    readonly recover: (killed: RedisNode) => Promise<unknown>;
  }

  /** Runs with the ACL of docs/redis.md. */
  async function follow({ url, tls, master, recover }: Deployed): Promise<void> {
    const write = async (scope: string) => {
      const record = JSON.stringify({ client_id: 'a', ...method, scope });
      await sendRedisCommand((await master()).port, ['SET', key, record], { tls });
    };
    await write('first');
    const { registry, problems, reasons } = await openRedisRegistry(url, { prefix, tls });
    onTestFinished(() => registry.close());
    const untilMode = (mode: string) =>
      eventually(
        () => registry.remote?.invalidationMode === mode,
        () => `not ${mode}: ${problems}, ${reasons}`,
      );
    const untilFound = (scope: string) =>
      eventually(
        async () => (await registry.find('a').catch(() => undefined))?.scopes.join() === scope,
        () => `the client does not have the scope ${scope}: ${problems}`,
        1_000,
      );
    await untilMode('tracking');
    await untilFound('first');
    await write('second');
    await untilFound('second');
    const killed = await master();
    killed.kill('SIGKILL');
    await untilMode('none');
    await recover(killed);
    await untilMode('tracking');
    for (const scope of ['third', 'fourth']) {
      await write(scope);
      await untilFound(scope);
    }
  }

  const hostsOf = (ports: readonly number[]) => ports.map((port) => `127.0.0.1:${port}`).join(',');

  it('reads from a Cluster, tracks changes, and recovers when a master is restarted', async () => {
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

  it('reads from the master that Sentinel names, tracks changes, and follows a failover', async () => {
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

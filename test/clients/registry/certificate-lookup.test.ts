import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseClient } from '../../../src/clients/parse-client.ts';
import { registeredKeys } from '../../../src/clients/registered-identities.ts';
import type { Registry } from '../../../src/clients/registry/registry.ts';
import { type ClientCertificate, parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { errorReplies, wrongTypes } from '../../redis/refusals/replies.ts';
import { selfSigned } from '../../support/certificates.ts';
import { startCommandProxy } from '../../support/command-proxy.ts';
import { commandsOf } from '../../support/commands-of-redis.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { programPath } from '../../support/program-path.ts';
import { type OpenedRegistry, type OpenOptions, openRedisRegistry } from '../../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { edgeAclRules, serverAclRule } from '../../support/server-acl.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const prefix = 'countersign:';
const marker = `${prefix}registry`;

/** A new certificate with this DNS name. */
const certificateOf = (name: string): ClientCertificate =>
  parseClientCertificate(selfSigned({ subject: [['O', 'company']], dns: [`${name}.example`] }).der);
const recordOf = (clientId: string, name = clientId, more = {}) => ({
  client_id: clientId,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: `${name}.example`,
  ...more,
});

function indexKeysOf(record: object): readonly string[] {
  const parsed = parseClient(record, defaultPolicy, Date.now());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return registeredKeys(parsed.client).map((key) => `${prefix}identity:${key}`);
}

const idsOf = async (registry: Registry, certificate: ClientCertificate) =>
  (await registry.findByCertificate(certificate, true)).map(({ clientId }) => clientId);

describeWith(['redis-server'], 'a lookup by certificate in Redis', () => {
  let server: RunningRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({
      program: programPath('redis-server'),
      directory: temporaryDirectory(),
      aclRules: [
        `${serverAclRule(prefix, 'x')} ${edgeAclRules(prefix)}`,
        serverAclRule(prefix, 'x').replace('server', 'without-edge'),
        `${serverAclRule(prefix, 'x')} ${edgeAclRules(prefix)} -scard`.replace('server', 'without-scard'),
        `notified on nopass resetchannels &${prefix}changes -@all %R~* +@read +@connection +@pubsub +info -client`,
        `uninformed on nopass resetchannels -@all %R~* +@read +@connection +info -client`,
      ],
    });
    redis = new Redis(server.port);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  async function open(user = 'server', options: Partial<OpenOptions> & { readonly port?: number } = {}) {
    const { port = server.port, ...more } = options;
    const opened = await openRedisRegistry(`redis://${user}:x@127.0.0.1:${port}`, {
      prefix,
      servesEdge: true,
      ...more,
    });
    onTestFinished(() => opened.registry.close());
    const mode = { notified: 'pubsub', uninformed: 'none' }[user] ?? 'tracking';
    await eventually(
      () => opened.modes.at(-1) === mode,
      () => `${opened.modes}`,
    );
    return opened;
  }

  /** As an administrator; also the index entries. */
  async function register(record: { readonly client_id: string }): Promise<void> {
    for (const key of indexKeysOf(record)) await redis.sadd(key, record.client_id);
    await redis.set(`${prefix}client:${record.client_id}`, JSON.stringify(record));
  }

  const untilFound = (
    { registry }: Pick<OpenedRegistry, 'registry'>,
    certificate: ClientCertificate,
    expected: readonly string[],
  ) =>
    eventually(
      async () => (await idsOf(registry, certificate)).join() === expected.join(),
      () => `not found: ${expected}`,
      1_000,
    );

  /** Waits until this many lookups of the certificate execute no command. */
  async function untilCached(
    { registry }: OpenedRegistry,
    certificate: ClientCertificate,
    expected: readonly string[],
  ) {
    let executed = Number.NaN;
    await eventually(
      async () => {
        const before = await commandsOf(redis);
        for (let times = 0; times < 1_000; times++) expect(await idsOf(registry, certificate)).toEqual(expected);
        executed = (await commandsOf(redis)) - before;
        return executed === 0;
      },
      () => `${executed} commands for 1,000 lookups`,
    );
  }

  test('executes no command for a known caller', async () => {
    await register(recordOf('known'));
    await untilCached(await open(), certificateOf('known'), ['known']);
  });

  test('executes no command for a known caller after the lifetime of a negative result', async () => {
    await register(recordOf('steady'));
    const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };
    await untilCached(await open('server', { cache: { lifetimes } }), certificateOf('steady'), ['steady']);
  });

  test.each<[string, (id: string, key: string) => Promise<unknown>]>([
    ['that has no record', async (id, key) => redis.sadd(key, id)],
    [
      'whose record registers another identity',
      async (id, key) => {
        await redis.sadd(key, id);
        await redis.set(`${prefix}client:${id}`, JSON.stringify(recordOf(id, 'renamed')));
      },
    ],
  ])('takes an index entry of a client %s for a hint only', async (kind, writeHint) => {
    const name = `hint-${kind.replaceAll(' ', '-')}`;
    const [key = ''] = indexKeysOf(recordOf(name));
    await register(recordOf(name));
    await writeHint(`${name}-2`, key);
    const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };
    const opened = await open('server', { cache: { lifetimes } });
    // Neither does a missing or invalid record cause a command for each request of the other client.
    const certificate = certificateOf(name);
    await untilCached(opened, certificate, [name]);
    await redis.set(`${prefix}client:${name}-2`, JSON.stringify(recordOf(`${name}-2`, name)));
    await untilFound(opened, certificate, [name, `${name}-2`]);
  });

  test('is rejected with the reason, and without a command, if the record of a candidate is invalid', async () => {
    const [key = ''] = indexKeysOf(recordOf('valid'));
    await register(recordOf('valid'));
    await redis.sadd(key, 'invalid');
    await redis.set(`${prefix}client:invalid`, JSON.stringify(recordOf('invalid', 'valid', { scopes: 'x' })));
    const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };
    const { registry } = await open('server', { cache: { lifetimes } });
    const certificate = certificateOf('valid');
    const rejected = async () => {
      await expect(registry.findByCertificate(certificate, true)).rejects.toMatchObject({
        error: 'invalid_client',
        reason: expect.stringMatching(/^the value of countersign:client:invalid is not a client record: .*scopes/),
      });
    };
    let executed = Number.NaN;
    await eventually(
      async () => {
        const before = await commandsOf(redis);
        for (let times = 0; times < 100; times++) await rejected();
        executed = (await commandsOf(redis)) - before;
        return executed === 0;
      },
      () => `${executed} commands for 100 lookups`,
    );
    await register(recordOf('invalid', 'valid'));
    await eventually(
      () =>
        idsOf(registry, certificate).then(
          (ids) => ids.join() === 'invalid,valid',
          () => false,
        ),
      () => 'the record is still invalid',
      1_000,
    );
  });

  test('of certificates with an unverified chain evicts no other, whatever names they contain', async () => {
    await register(recordOf('victim'));
    const keys = selfSigned();
    const thumbprint = {
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: keys.thumbprint }],
    };
    await register({ client_id: 'self-signed', ...thumbprint });
    const bounds = { entries: 3, bytes: 1024 * 1024 };
    const { registry } = await open('server', { cache: { bounds } });
    const [verified, selfIssued] = [certificateOf('victim'), parseClientCertificate(keys.der)];
    const find = async () => [
      ...(await registry.findByCertificate(verified, true)),
      ...(await registry.findByCertificate(selfIssued, false)),
    ];
    const expected = ['victim', 'self-signed'];
    expect((await find()).map(({ clientId }) => clientId)).toEqual(expected);
    for (let count = 0; count < 10; count++) {
      const found = await registry.findByCertificate(certificateOf('victim'), false);
      expect(found.map(({ clientId }) => clientId)).toEqual(['victim']);
    }
    let executed = Number.NaN;
    await eventually(
      async () => {
        for (let count = 0; count < 5; count++) await registry.findByCertificate(certificateOf('victim'), false);
        const before = await commandsOf(redis);
        for (let times = 0; times < 100; times++)
          expect((await find()).map(({ clientId }) => clientId)).toEqual(expected);
        executed = (await commandsOf(redis)) - before;
        return executed === 0;
      },
      () => `${executed} commands for 100 lookups`,
    );
  });

  test('never makes a key of a member that is not a client_id', async () => {
    const [key = ''] = indexKeysOf(recordOf('strange'));
    const members = ['', 'a\nb', 'ä', 'x'.repeat(256), Buffer.from([0xff, 0x00])];
    for (const member of members) await redis.sadd(key, member);
    const { registry } = await open();
    const gets = async () => Number(/cmdstat_get:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    await idsOf(registry, certificateOf('before'));
    const before = await gets();
    expect(await idsOf(registry, certificateOf('strange'))).toEqual([]);
    expect(await gets()).toBe(before);
  });

  describe('is rejected, without reading them, if an identity belongs to', () => {
    const members = (count: number) => Array.from({ length: count }, (_, index) => `client-${index}`);

    test('a hundred thousand clients', async () => {
      const [key = ''] = indexKeysOf(recordOf('popular'));
      await redis.sadd(key, ...members(100_000));
      const { registry } = await open();
      const reads = async () => Number(/cmdstat_smembers:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
      const before = await reads();
      const rejected = expect(registry.findByCertificate(certificateOf('popular'), true)).rejects;
      await rejected.toMatchObject({ error: 'invalid_client', reason: expect.stringMatching(/dns:.* more than 256/) });
      expect(await reads()).toBe(before);
      await redis.del(key);
    });

    test.each([
      ['server', 256],
      ['without-scard', 257],
    ])('too many clients (as user %s, %d members)', async (user, count) => {
      const name = `many-${count}`;
      const [key = ''] = indexKeysOf(recordOf(name));
      await redis.sadd(key, ...members(count));
      const { registry, edgePermissions } = await open(user);
      const found = registry.findByCertificate(certificateOf(name), true);
      if (count === 256) expect(await found).toEqual([]);
      else await expect(found).rejects.toMatchObject({ error: 'invalid_client' });
      expect(edgePermissions).toEqual([]);
    });
  });

  test('takes a key of another type for an empty set', async () => {
    const [key = ''] = indexKeysOf(recordOf('typed'));
    await redis.set(key, 'not a set');
    expect(await idsOf((await open()).registry, certificateOf('typed'))).toEqual([]);
  });

  describe('propagates to two replicas within a second', () => {
    test('that a client is added, disabled and removed', async () => {
      const replicas = [await open(), await open()];
      const certificate = certificateOf('two-replicas');
      const untilAllFound = (...ids: string[]) =>
        Promise.all(replicas.map((each) => untilFound(each, certificate, ids)));
      await untilAllFound();
      await register(recordOf('two-replicas'));
      await untilAllFound('two-replicas');
      await register(recordOf('two-replicas', 'two-replicas', { enabled: false }));
      for (const { registry } of replicas) {
        await eventually(
          async () => (await registry.findByCertificate(certificate, true))[0]?.enabled === false,
          () => 'still enabled',
          1_000,
        );
      }
      await redis.del(`${prefix}client:two-replicas`);
      await untilAllFound();
    });
  });

  test('sees a change by the channel of its writer if client tracking is not permitted', async () => {
    await register(recordOf('notified'));
    const opened = await open('notified');
    const certificate = certificateOf('notified');
    await untilFound(opened, certificate, ['notified']);
    const second = recordOf('notified-2', 'notified');
    await register(second);
    expect(await idsOf(opened.registry, certificate)).toEqual(['notified']);
    for (const key of [...indexKeysOf(second), `${prefix}client:notified-2`])
      await redis.publish(`${prefix}changes`, key);
    await untilFound(opened, certificate, ['notified', 'notified-2']);
  });

  test('reads the index each time if no invalidations are permitted', async () => {
    const { registry } = await open('uninformed');
    const certificate = certificateOf('uninformed');
    await register(recordOf('uninformed'));
    expect(await idsOf(registry, certificate)).toEqual(['uninformed']);
    await register(recordOf('uninformed-2', 'uninformed'));
    expect(await idsOf(registry, certificate)).toEqual(['uninformed', 'uninformed-2']);
    await redis.srem(indexKeysOf(recordOf('uninformed'))[0] ?? '', 'uninformed');
    expect(await idsOf(registry, certificate)).toEqual(['uninformed-2']);
  });

  test('does not serve a reply that was outdated by a change before it arrived', async () => {
    const proxy = await startCommandProxy(server.port);
    onTestFinished(() => proxy.stop());
    await register(recordOf('slow'));
    const opened = await open('server', { port: proxy.port });
    const certificate = certificateOf('slow');
    // The reply that was sent before the change: the index names one client.
    const [key = ''] = indexKeysOf(recordOf('slow'));
    let isHeld = true;
    proxy.setRule(([command = '', first]) => {
      if (!isHeld || command.toLowerCase() !== 'smembers' || first !== key) return undefined;
      return '*1\r\n$4\r\nslow\r\n';
    });
    const early = idsOf(opened.registry, certificate);
    await register(recordOf('slow-2', 'slow'));
    expect(await early).toEqual(['slow']);
    isHeld = false;
    await untilFound(opened, certificate, ['slow', 'slow-2']);
  });

  test.each(['SCARD', 'SMEMBERS'])(
    'is unavailable while Redis replies to %s with anything but its reply',
    async (refused) => {
      const proxy = await startCommandProxy(server.port);
      onTestFinished(() => proxy.stop());
      await register(recordOf('refused'));
      const { registry } = await open('server', { port: proxy.port });
      for (const reply of refusals) {
        proxy.setRule(([command]) => (command?.toUpperCase() === refused ? reply : undefined));
        const found = registry.findByCertificate(certificateOf('refused'), true);
        await expect(found, JSON.stringify(reply)).rejects.toMatchObject({ error: 'temporarily_unavailable' });
        proxy.setRule(() => undefined);
        // A new connection, unless the reply was an error.
        await eventually(
          () =>
            idsOf(registry, certificateOf('refused')).then(
              (ids) => ids.join() === 'refused',
              () => false,
            ),
          () => `not available after ${JSON.stringify(reply)}`,
        );
      }
    },
  );

  describe('while the ACL does not permit it', () => {
    test('is unavailable, and the rule is reported at startup', async () => {
      const { registry, edgePermissions, problems } = await open('without-edge');
      await eventually(
        () => edgePermissions.length === 2,
        () => JSON.stringify(edgePermissions),
      );
      expect(edgePermissions).toEqual([
        {
          rule: '%R~countersign:identity:* +smembers +scard',
          problem: expect.stringContaining('lacks +smembers (NOPERM'),
        },
        { rule: '%R~countersign:resource:*', problem: expect.stringContaining('lacks the key countersign:resource:') },
      ]);
      await expect(registry.findByCertificate(certificateOf('denied'), true)).rejects.toMatchObject({
        error: 'temporarily_unavailable',
        reason: expect.stringContaining('lacks +smembers'),
        headers: { 'retry-after': '1' },
      });
      await expect(registry.findResource('denied')).rejects.toMatchObject({ error: 'temporarily_unavailable' });
      // The token endpoint is not affected.
      await register(recordOf('denied'));
      expect((await registry.find('denied'))?.clientId).toBe('denied');
      expect([registry.notReadyReason, registry.remote?.isUp, problems.at(-1)]).toEqual([undefined, true, undefined]);
    });

    test('becomes available once it does', async () => {
      await register(recordOf('permitted'));
      await redis.call('ACL', 'SETUSER', 'late', ...serverAclRule(prefix, 'x').split(' ').slice(1));
      const opened = await open('late');
      await expect(idsOf(opened.registry, certificateOf('permitted'))).rejects.toMatchObject({
        error: 'temporarily_unavailable',
      });
      await redis.call('ACL', 'SETUSER', 'late', ...edgeAclRules(prefix).split(' '));
      await untilFound(opened, certificateOf('permitted'), ['permitted']);
      expect(await opened.registry.findResource('none')).toBeUndefined();
      expect(opened.edgePermissions.map(({ problem }) => problem === undefined)).toEqual([false, false, true, true]);
    });
  });

  test.each([
    ['without an edge', 'without-edge', false],
    ['with an edge', 'server', true],
  ])('a registry %s executes no command that its documented ACL denies', async (_, user, servesEdge) => {
    await redis.call('ACL', 'LOG', 'RESET');
    const { registry } = await open(user, { servesEdge });
    await registry.find('any');
    if (servesEdge) {
      await registry.findByCertificate(certificateOf('any'), true);
      await registry.findResource('any');
    }
    expect(await redis.call('ACL', 'LOG')).toEqual([]);
  });

  describe('after Redis has lost its data', () => {
    test('finds the clients of a cached certificate and cached resources, and rejects others with 503', async () => {
      await register(recordOf('lost'));
      await redis.set(`${prefix}resource:lost`, JSON.stringify(resource('lost')));
      await redis.set(marker, '{"format":1}');
      const { registry, dataLosses } = await open();
      const certificate = certificateOf('lost');
      expect(await idsOf(registry, certificate)).toEqual(['lost']);
      expect((await registry.findResource('lost'))?.name).toBe('lost');
      await redis.flushall();
      await eventually(
        () => dataLosses.at(-1) === true,
        () => 'the data loss is not detected',
        1_000,
      );
      expect(await idsOf(registry, certificate)).toEqual(['lost']);
      expect((await registry.findResource('lost'))?.name).toBe('lost');
      const unavailable = {
        error: 'temporarily_unavailable',
        reason: expect.stringContaining('records are gone from Redis'),
      };
      await expect(registry.findByCertificate(certificateOf('other'), true)).rejects.toMatchObject(unavailable);
      await expect(registry.findResource('other')).rejects.toMatchObject(unavailable);
      await redis.set(marker, '{"format":1}');
      await eventually(
        () => dataLosses.at(-1) === false,
        () => 'the restoration is not detected',
        1_000,
      );
      expect(await idsOf(registry, certificateOf('other'))).toEqual([]);
      await redis.del(marker);
    });
  });

  describe('while Redis is down', () => {
    test('finds the clients of a cached certificate up to the max age, and rejects others with 503', async () => {
      const own = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
      onTestFinished(async () => void (await own.stop()));
      const direct = new Redis(own.port);
      const [key = ''] = indexKeysOf(recordOf('down'));
      await direct.sadd(key, 'down', 'down-hint');
      await direct.set(`${prefix}client:down`, JSON.stringify(recordOf('down')));
      await direct.set(`${prefix}resource:down`, JSON.stringify(resource('down')));
      direct.disconnect();
      const lifetimes = { refreshAfter: 1_500, maxAge: 3_000, negativeTtl: 2_000 };
      const { registry } = await open('default', { port: own.port, cache: { lifetimes } });
      const certificate = certificateOf('down');
      expect(await idsOf(registry, certificate)).toEqual(['down']);
      expect((await registry.findResource('down'))?.name).toBe('down');
      own.kill('SIGKILL');
      await own.exited;
      expect(await idsOf(registry, certificate)).toEqual(['down']);
      expect((await registry.findResource('down'))?.name).toBe('down');
      const unavailable = { error: 'temporarily_unavailable', headers: { 'retry-after': '1' } };
      await expect(registry.findByCertificate(certificateOf('other'), true)).rejects.toMatchObject(unavailable);
      await expect(registry.findResource('other')).rejects.toMatchObject(unavailable);
      await eventually(
        () =>
          registry.findByCertificate(certificate, true).then(
            () => false,
            ({ error }) => error === 'temporarily_unavailable',
          ),
        () => 'still served after the max age',
      );
    });
  });

  test.each([
    ['invalid JSON', '{"name":'],
    ['of another resource', JSON.stringify(resource('other'))],
    ['with an error', JSON.stringify({ ...resource('poison'), scopes: 'x' })],
  ])('findResource rejects a record that is %s, with the reason', async (_, value) => {
    await redis.set(`${prefix}resource:poison`, value);
    const { registry } = await open();
    await expect(registry.findResource('poison')).rejects.toMatchObject({
      error: 'invalid_target',
      reason: expect.stringMatching(/^the value of countersign:resource:poison is not a resource record: ./),
    });
  });
});

const { ERR, LOADING, CLUSTERDOWN } = errorReplies;
const refusals = [
  ...[ERR, LOADING, CLUSTERDOWN],
  ...[wrongTypes.nil, wrongTypes['an array of nil'], wrongTypes['a deep array'], wrongTypes['a simple string']],
  ...[wrongTypes['a map'], wrongTypes['no RESP']],
];

function resource(name: string): object {
  return { name, resource: `https://${name}.example`, scope: 'x', binding: 'caller' };
}

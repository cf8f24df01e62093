import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { audienceKey } from '../../../src/resources/resource.ts';
import { commandsOf } from '../../support/commands-of-redis.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { programPath } from '../../support/program-path.ts';
import { type OpenedRegistry, type OpenOptions, openRedisRegistry } from '../../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { audienceAclRules, edgeAclRules, serverAclRule } from '../../support/server-acl.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const prefix = 'countersign:';
const marker = `${prefix}registry`;
const audienceOf = (name: string) => `https://${name}.example`;
const recordOf = (name: string, more: object = {}) => ({
  name,
  resource: audienceOf(name),
  scope: 'x',
  binding: 'caller',
  ...more,
});
const indexKey = (audience: string) => `${prefix}audience:${audienceKey(audience)}`;

describeWith(['redis-server'], 'a lookup of resources by audience in Redis', () => {
  let server: RunningRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({
      program: programPath('redis-server'),
      directory: temporaryDirectory(),
      aclRules: [
        `${serverAclRule(prefix, 'x')} ${audienceAclRules(prefix)}`,
        serverAclRule(prefix, 'x').replace('server', 'without-audiences'),
        `${serverAclRule(prefix, 'x')} ${edgeAclRules(prefix)}`.replace('server', 'edge-only'),
        `${serverAclRule(prefix, 'x')} ${audienceAclRules(prefix)} -scard`.replace('server', 'without-scard'),
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
    const opened = await openRedisRegistry(`redis://${user}:x@127.0.0.1:${port}`, { prefix, ...more });
    onTestFinished(() => opened.registry.close());
    await eventually(
      () => opened.modes.at(-1) === 'tracking',
      () => `${opened.modes}`,
    );
    return opened;
  }

  async function register(record: { readonly name: string; readonly resource: string }, to = redis): Promise<void> {
    await to.sadd(indexKey(record.resource), record.name);
    await to.set(`${prefix}resource:${record.name}`, JSON.stringify(record));
  }

  const namesOf = async ({ registry }: Pick<OpenedRegistry, 'registry'>, audience: string) =>
    (await registry.findResourcesByAudience(audience)).map(({ name }) => name);

  /** Waits until this many lookups execute no command. */
  async function untilCached(opened: OpenedRegistry, audience: string, expected: readonly string[]) {
    let executed = Number.NaN;
    await eventually(
      async () => {
        const before = await commandsOf(redis);
        for (let times = 0; times < 1_000; times++) expect(await namesOf(opened, audience)).toEqual(expected);
        executed = (await commandsOf(redis)) - before;
        return executed === 0;
      },
      () => `${executed} commands for 1,000 lookups`,
    );
  }

  describe('executes no command', () => {
    const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };

    test('for a known audience, after the lifetime of a negative result', async () => {
      await register(recordOf('known'));
      await register(recordOf('known-2', { resource: audienceOf('known') }));
      await untilCached(await open('server', { cache: { lifetimes } }), audienceOf('known'), ['known', 'known-2']);
    });

    test('for an audience whose index entry names a resource without a record', async () => {
      await register(recordOf('stale'));
      await redis.sadd(indexKey(audienceOf('stale')), 'stale-2');
      await untilCached(await open('server', { cache: { lifetimes } }), audienceOf('stale'), ['stale']);
    });

    test('for an audience that is known to have no resource, after the lifetime of a negative result', async () => {
      await untilCached(await open('server', { cache: { lifetimes } }), audienceOf('none'), []);
    });
  });

  test('finds the first resource of an audience that is known to have none, once it is added', async () => {
    const opened = await open();
    expect(await namesOf(opened, audienceOf('first'))).toEqual([]);
    await register(recordOf('first'));
    await eventually(
      async () => (await namesOf(opened, audienceOf('first'))).join() === 'first',
      () => 'not found',
      1_000,
    );
  });

  test('finds a resource that the index already named, once its record is added', async () => {
    const opened = await open();
    await redis.sadd(indexKey(audienceOf('late')), 'late');
    expect(await namesOf(opened, audienceOf('late'))).toEqual([]);
    await register(recordOf('late'));
    await eventually(
      async () => (await namesOf(opened, audienceOf('late'))).join() === 'late',
      () => 'not found',
      1_000,
    );
  });

  test.each<[string, (name: string, key: string) => Promise<unknown>, boolean]>([
    ['that has no record', (name, key) => redis.sadd(key, `${name}-2`), true],
    [
      'whose record has another audience',
      async (name, key) => {
        await redis.sadd(key, `${name}-2`);
        await redis.set(`${prefix}resource:${name}-2`, JSON.stringify(recordOf(`${name}-2`)));
      },
      true,
    ],
    ['that is not a name', (_, key) => redis.sadd(key, '../x', 'A', ''), true],
    [
      'in a value that is not a set',
      async (_, key) => {
        await redis.del(key);
        await redis.set(key, 'x');
      },
      false,
    ],
  ])('takes an index entry of a resource %s for a hint only', async (kind, writeHint, isFound) => {
    const name = `hint-${kind.length}`;
    await register(recordOf(name));
    await writeHint(name, indexKey(audienceOf(name)));
    expect(await namesOf(await open(), audienceOf(name))).toEqual(isFound ? [name] : []);
  });

  test.each([
    ['server', 256],
    ['server', 257],
    ['without-scard', 257],
  ])('finds at most 256 resources of an audience: as %s, %d', async (user, count) => {
    const audience = `urn:many:${user}:${count}`;
    const names = Array.from({ length: count }, (_, index) => `many-${count}-${index}`);
    for (const name of names) await register(recordOf(name, { resource: audience }));
    const found = namesOf(await open(user), audience);
    if (count === 256) expect(await found).toEqual(names.toSorted());
    else
      await expect(found).rejects.toMatchObject({
        error: 'invalid_target',
        reason: `the index entry ${indexKey(audience)} names more than 256 resources`,
      });
  });

  test('rejects an audience with a resource whose record is invalid, with the reason', async () => {
    await register(recordOf('valid', { resource: 'urn:poison' }));
    await register(recordOf('poison', { resource: 'urn:poison', signing_alg: 'HS256' }));
    const { registry } = await open();
    await expect(registry.findResourcesByAudience('urn:poison')).rejects.toMatchObject({
      error: 'invalid_target',
      reason: expect.stringMatching(/^the value of countersign:resource:poison is not a resource record: signing_alg:/),
    });
  });

  describe('while the ACL does not permit it', () => {
    test.each(['without-audiences', 'edge-only'])('finds none as %s, and reports the rule once', async (user) => {
      await register(recordOf('denied', { signing_alg: 'ES384' }));
      const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };
      const opened = await open(user, { cache: { lifetimes }, servesEdge: user === 'edge-only' });
      expect(opened.audiencePermissions).toEqual([]);
      for (let times = 0; times < 20; times++) {
        expect(await namesOf(opened, audienceOf('denied'))).toEqual([]);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      expect(opened.audiencePermissions).toEqual([
        { rule: audienceAclRules(prefix), problem: expect.stringMatching(/NOPERM/) },
      ]);
      expect(opened.registry.notReadyReason).toBeUndefined();
      expect([opened.registry.remote?.isUp, opened.problems.at(-1)]).toEqual([true, undefined]);
    });

    test('finds them once it does', async () => {
      await register(recordOf('permitted'));
      await redis.call('ACL', 'SETUSER', 'late', ...serverAclRule(prefix, 'x').split(' ').slice(1));
      const opened = await open('late');
      expect(await namesOf(opened, audienceOf('permitted'))).toEqual([]);
      await redis.call('ACL', 'SETUSER', 'late', ...audienceAclRules(prefix).split(' '));
      await eventually(
        async () => (await namesOf(opened, audienceOf('permitted'))).join() === 'permitted',
        () => 'not found',
      );
      expect(opened.audiencePermissions.map(({ problem }) => problem === undefined)).toEqual([false, true]);
    });

    test('is not asked for without a lookup', async () => {
      await redis.call('ACL', 'LOG', 'RESET');
      const { registry } = await open('without-audiences');
      await registry.find('any');
      expect(await redis.call('ACL', 'LOG')).toEqual([]);
    });
  });

  test('executes no command that its documented ACL denies', async () => {
    await redis.call('ACL', 'LOG', 'RESET');
    await register(recordOf('acl'));
    expect(await namesOf(await open(), audienceOf('acl'))).toEqual(['acl']);
    expect(await redis.call('ACL', 'LOG')).toEqual([]);
  });

  test('finds what is cached after Redis has lost its data, and rejects other audiences with 503', async () => {
    await register(recordOf('lost'));
    await redis.set(marker, '{"format":1}');
    const opened = await open();
    expect(await namesOf(opened, audienceOf('lost'))).toEqual(['lost']);
    expect(await namesOf(opened, audienceOf('lost-none'))).toEqual([]);
    await redis.flushall();
    await eventually(
      () => opened.dataLosses.at(-1) === true,
      () => 'the data loss is not detected',
      1_000,
    );
    expect(await namesOf(opened, audienceOf('lost'))).toEqual(['lost']);
    expect(await namesOf(opened, audienceOf('lost-none'))).toEqual([]);
    await expect(opened.registry.findResourcesByAudience(audienceOf('lost-other'))).rejects.toMatchObject({
      error: 'temporarily_unavailable',
      reason: expect.stringContaining('records are gone from Redis'),
    });
  });

  test('finds what is cached while Redis is down, and rejects other audiences with 503', async () => {
    const own = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    onTestFinished(async () => void (await own.stop()));
    const direct = new Redis(own.port);
    await register(recordOf('down'), direct);
    await direct.sadd(indexKey(audienceOf('down')), 'removed');
    direct.disconnect();
    const lifetimes = { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 1 };
    const opened = await open('default', { port: own.port, cache: { lifetimes } });
    expect(await namesOf(opened, audienceOf('down'))).toEqual(['down']);
    expect(await namesOf(opened, audienceOf('down-none'))).toEqual([]);
    own.kill('SIGKILL');
    await own.exited;
    expect(await namesOf(opened, audienceOf('down'))).toEqual(['down']);
    expect(await namesOf(opened, audienceOf('down-none'))).toEqual([]);
    await expect(opened.registry.findResourcesByAudience(audienceOf('down-other'))).rejects.toMatchObject({
      error: 'temporarily_unavailable',
      reason: expect.stringMatching(
        /^failed to load the resources of the audience https:\/\/down-other\.example from Redis: ./,
      ),
      headers: { 'retry-after': '1' },
    });
  });
});

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChainableCommander, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { announcedKeys } from '../../../../src/service/token-store.ts';
import { changeKeyring, createKeyring, resealedKeyring } from '../../../../src/tokens/keyring/redis/change-keyring.ts';
import { rotated, withoutKey } from '../../../../src/tokens/keyring/redis/changes.ts';
import {
  parseKeyring,
  type StoredKeyring,
  serializeKeyring,
} from '../../../../src/tokens/keyring/redis/stored-keyring.ts';
import { describeWith } from '../../../support/describe-with.ts';
import { eventually } from '../../../support/eventually.ts';
import { startFaultProxy } from '../../../support/fault-proxy.ts';
import { freePort } from '../../../support/free-port.ts';
import { programPath } from '../../../support/program-path.ts';
import { keyPrefix } from '../../../support/redis.ts';
import { openRedisRegistry } from '../../../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../../../support/redis-server.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { changeOptions, type KeyringServer, keyEncryptionKey, type ServerOptions, startServer } from './servers.ts';
import { DAY, MINUTE, policy } from './stored-keys.ts';

describeWith(['redis-server'], 'the keyring in Redis', () => {
  let redis: RunningRedis;
  let client: Redis;
  let prefix: string;
  const servers: KeyringServer[] = [];

  beforeAll(async () => {
    redis = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    client = new Redis(redis.port);
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
  });
  beforeEach(() => {
    prefix = keyPrefix();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await client.flushall();
  });

  const start = async (options: Partial<ServerOptions> = {}, url = redis.url): Promise<KeyringServer> => {
    const server = await startServer(url, { prefix, ...options });
    servers.push(server);
    return server;
  };
  const startThree = () => Promise.all([start(), start(), start()]);
  const create = async (options: Partial<ServerOptions> = {}): Promise<StoredKeyring> => {
    const { after } = await createKeyring(await changeOptions(client, prefix, options), {
      first: 'ES256',
      algorithm: undefined,
    });
    return after;
  };
  const change = async (step: Parameters<typeof changeKeyring>[1], options: Partial<ServerOptions> = {}) =>
    (await changeKeyring(await changeOptions(client, prefix, options), step)).after;
  const stored = async () => (await client.get(`${prefix}keyring`)) ?? '';
  const setStored = (value: string | StoredKeyring) =>
    client.set(`${prefix}keyring`, typeof value === 'string' ? value : serializeKeyring(value));
  const until = (condition: () => boolean | Promise<boolean>) =>
    eventually(condition, () =>
      JSON.stringify(
        servers.map(({ log, keyring }) => [keyring.notReadyReason, log]),
        null,
        1,
      ),
    );
  const publishes = ({ keyring }: KeyringServer, { keys }: StoredKeyring) =>
    keys.length === keyring.published.length && keys.every(({ keyId }) => keyring.find(keyId) !== undefined);
  const signs = ({ keyring }: KeyringServer) => keyring.notReadyReason === undefined && keyring.signingKey().keyId;

  test('is missing: servers are not ready until it is created', async () => {
    const server = await start();
    expect(server.keyring.notReadyReason).toBe('there is no keyring in Redis: run `countersign keys create`');
    expect(() => server.keyring.signingKey()).toThrow(/no keyring in Redis/);
    const keyring = await create();
    await until(() => signs(server) === keyring.keys[0]?.keyId);
    expect(server.log.map(({ event }) => event)).toEqual(['keyring_missing', 'keyring_loaded']);
  });

  test('is the same on every server', async () => {
    const keyring = await create();
    for (const server of await startThree()) {
      expect(publishes(server, keyring)).toBe(true);
      expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    }
  });

  test('is created once, also by several commands', async () => {
    const results = await Promise.allSettled([create(), create(), create()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(parseKeyring(await stored()).keys).toHaveLength(2);
  });

  test('loses a key on every server once it is removed', async () => {
    const keyring = await create();
    const [leaked, next] = keyring.keys;
    const all = await startThree();
    await change((each, now) => withoutKey(each, leaked?.keyId ?? '', now));
    await until(() =>
      all.every((server) => signs(server) === next?.keyId && !server.keyring.find(leaked?.keyId ?? '')),
    );
  });

  test('is written back after FLUSHALL, by one of the servers', async () => {
    await create();
    const [before, all] = [await stored(), await startThree()];
    for (let round = 1; round <= 3; round++) {
      await client.flushall();
      await until(async () => (await stored()) === before);
      await until(() => all.reduce((sum, server) => sum + server.count('keyring_restored'), 0) === round);
    }
    expect(all.every((server) => signs(server) !== false)).toBe(true);
  });

  test('is written back in its newest version by servers that hold different ones', async () => {
    const older = await create();
    const all = await startThree();
    // The first server cannot learn of the change, and writes back the older version first.
    const newer = await change((each, now) => withoutKey(each, older.keys[0]?.keyId ?? '', now));
    await until(() => all.every((server) => publishes(server, newer)));
    await client.flushall();
    await setStored(older);
    await until(async () => parseKeyring(await stored()).version === newer.version);
    expect(all.every((server) => publishes(server, newer))).toBe(true);
  });

  /** Creates another keyring before a server writes back the one that it holds. */
  const createAgain = async (): Promise<StoredKeyring> => {
    for (;;) {
      await client.del(`${prefix}keyring`);
      const created = await create().catch(() => undefined);
      if (created) return created;
    }
  };

  test('is replaced by one that was created later', async () => {
    await create();
    const server = await start();
    const other = await createAgain();
    await until(() => publishes(server, other));
    expect(server.count('keyring_replaced')).toBe(1);
    expect(signs(server)).toBe(other.keys[0]?.keyId);
  });

  test('replaces one that was created earlier', async () => {
    const earlier = await create();
    await client.del(`${prefix}keyring`);
    await create();
    const [later, holder] = [await stored(), await start()];
    await setStored({ ...earlier, version: 1_000, createdAt: earlier.createdAt - 1 });
    // Logged once Redis has replied.
    await until(() => holder.count('keyring_restored') === 1);
    expect(await stored()).toBe(later);
  });

  test.each([
    ['garbage', 'garbage', /not JSON/],
    ['1 MB of garbage', 'x'.repeat(1_100_000), /1100000 characters/],
    ['a later format', '{"format":2}', /newer version of Countersign/],
    ['invalid UTF-8', Buffer.from([0xff, 0xfe]).toString('latin1'), /not JSON/],
  ])('is kept while Redis holds %s, which is not overwritten', async (_, value, reason) => {
    const keyring = await create();
    const [server, before] = [await start(), await stored()];
    await setStored(value);
    await until(() => server.count('keyring_rejected') === 1);
    expect(server.log.at(-1)?.reason).toMatch(reason);
    expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    expect(await stored()).toBe(value);
    const starting = await start();
    expect(starting.keyring.notReadyReason).toMatch(reason);
    await setStored(before);
    await until(() => signs(starting) === keyring.keys[0]?.keyId);
    expect(server.count('keyring_rejected')).toBe(1);
  });

  test.each([
    ['a list', (multi: ChainableCommander) => multi.rpush(`${prefix}keyring`, 'x')],
    ['a hash', (multi: ChainableCommander) => multi.hset(`${prefix}keyring`, 'x', 'y')],
    ['a stream', (multi: ChainableCommander) => multi.xadd(`${prefix}keyring`, '*', 'x', 'y')],
  ])('is kept while Redis holds %s, which is not overwritten', async (_, write) => {
    const keyring = await create();
    const server = await start();
    // Atomic: the server would write back what it holds in between.
    await write(client.multi().del(`${prefix}keyring`)).exec();
    await until(() => server.count('keyring_rejected') === 1);
    expect(server.log.at(-1)?.reason).toBe('it is not a string');
    expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    expect(await client.type(`${prefix}keyring`)).not.toBe('string');
    await client.del(`${prefix}keyring`);
    await until(() => server.count('keyring_restored') > 0);
  });

  test('rejects a version with a key that Redis alone has introduced', async () => {
    const keyring = await create();
    const attacker = await startOther();
    const server = await start();
    const [first, ...others] = keyring.keys;
    if (!first) throw new Error('no key');
    const forged = { ...keyring, version: 99, keys: [...others, { ...attacker, signsFrom: first.signsFrom }] };
    await setStored(forged);
    await until(() => server.count('keyring_rejected') === 1);
    expect(publishes(server, keyring)).toBe(true);
    expect(server.keyring.find(attacker.keyId)).toBeUndefined();
    // By this version, the other key signs: what this server signs may not be verified elsewhere.
    await until(() => server.keyring.notReadyReason?.includes(attacker.keyId) === true);
    await setStored(keyring);
    await until(() => server.keyring.notReadyReason === undefined);
  });

  test('has no key that Redis alone has introduced before the server starts', async () => {
    const keyring = await create();
    const attacker = await startOther();
    await setStored({ ...keyring, keys: [...keyring.keys, attacker] });
    const server = await start();
    expect(server.keyring.notReadyReason).toMatch(/no key of the keyring can sign/);
    expect(server.keyring.published.map(({ keyId }) => keyId)).toEqual(keyring.keys.map(({ keyId }) => keyId));
    expect(server.keyring.find(attacker.keyId)).toBeUndefined();
  });

  test('has no key whose time is known: servers are not ready, and schedule the first one', async () => {
    const keyring = await create();
    const server = await start();
    const keys = keyring.keys.map((key) => ({ ...key, signsFrom: Number.POSITIVE_INFINITY }));
    await setStored({ ...keyring, version: keyring.version + 10, keys });
    await until(() => server.keyring.notReadyReason === 'no key for ES256 has a time from which it signs yet');
    await until(() => server.keyring.notReadyReason?.startsWith('the first key for ES256 signs from 20') === true);
  });

  /** A key that is sealed with another key-encryption key. */
  const startOther = async () => {
    const [own, others] = [prefix, keyPrefix()];
    prefix = others;
    const { keys } = await create({ keys: [randomBytes(32)] });
    prefix = own;
    if (!keys[0]) throw new Error('no key');
    return keys[0];
  };

  test('is published without the right key-encryption key, but does not sign', async () => {
    const keyring = await create();
    const server = await start({ keys: [randomBytes(32)] });
    expect(publishes(server, keyring)).toBe(true);
    expect(server.keyring.notReadyReason).toMatch(
      /no key of the keyring can sign: the private keys are sealed with the key-encryption key .*, and COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE has /,
    );
    expect(() => server.keyring.signingKey()).toThrow();
    await change((each, now) => rotated(each, 'ES256', { ...policy, publishAhead: 0 }, now));
    await until(() => server.count('keyring_changed') === 1);
    expect(server.count('keyring_sealed')).toBe(1);
  });

  test('is signed with during a rotation of the key-encryption key', async () => {
    const [old, fresh] = [keyEncryptionKey, randomBytes(32)];
    const keyring = await create({ keys: [old] });
    const running: KeyringServer[] = [];
    const restart = async (keys: ServerOptions['keys']) => {
      await running.shift()?.stop();
      running.push(await start({ keys: keys ?? [old] }));
      for (const server of running) expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    };
    running.push(await start({ keys: [old] }), await start({ keys: [old] }));
    await restart([fresh, old]);
    // A change while one server does not have the new key-encryption key yet.
    const second = await change((each) => ({ ...each, version: each.version + 1 }), { keys: [fresh, old] });
    await until(() => running.every((server) => publishes(server, second)));
    await restart([fresh, old]);
    const options = await changeOptions(client, prefix, { keys: [fresh, old] });
    await changeKeyring(options, (each) => resealedKeyring(each, options.sealer));
    await until(() => running.every((server) => server.count('keyring_changed') > 0));
    await restart([fresh]);
    await restart([fresh]);
    expect((await start({ keys: [old] })).keyring.notReadyReason).toMatch(/sealed with/);
  });

  test('is signed with while its servers replace the key-encryption key', async () => {
    const [old, fresh] = [keyEncryptionKey, randomBytes(32)];
    const keyring = await create({ keys: [old] });
    const [one, other] = [await start({ keys: [old] }), await start({ keys: [randomBytes(32)] })];
    await expect(one.replaceKeys([fresh])).rejects.toThrow(/sealed with the key-encryption key .*, and .* has /);
    expect([signs(one), signs(other)]).toEqual([keyring.keys[0]?.keyId, false]);
    for (const server of [one, other]) await server.replaceKeys([fresh, old]);
    expect([signs(one), signs(other)]).toEqual([keyring.keys[0]?.keyId, keyring.keys[0]?.keyId]);
    const options = await changeOptions(client, prefix, { keys: [fresh, old] });
    const before = [one, other].map((server) => server.count('keyring_changed'));
    await changeKeyring(options, (each) => resealedKeyring(each, options.sealer));
    await until(() => [one, other].every((server, index) => server.count('keyring_changed') > (before[index] ?? 0)));
    await one.replaceKeys([fresh]);
    await expect(other.replaceKeys([old])).rejects.toThrow(/sealed with/);
    const rotatedKeyring = await change((each, now) => rotated(each, 'ES256', { ...policy, publishAhead: 0 }, now), {
      keys: [fresh],
    });
    await until(() => [one, other].every((server) => publishes(server, rotatedKeyring)));
    expect([one.count('keyring_sealed'), other.count('keyring_sealed')]).toEqual([0, 1]);
  });

  test('is adopted by a server that gets its key-encryption key later', async () => {
    const [old, fresh] = [keyEncryptionKey, randomBytes(32)];
    await create({ keys: [old] });
    const server = await start({ keys: [old] });
    const options = await changeOptions(client, prefix, { keys: [fresh, old] });
    await changeKeyring(options, (each) => resealedKeyring(each, options.sealer));
    await until(() => server.count('keyring_rejected') === 1);
    await server.replaceKeys([fresh]);
    expect([server.count('keyring_changed'), typeof signs(server)]).toEqual([1, 'string']);
  });

  test('is signed with as soon as its key-encryption key was replaced, also during a poll with the previous one', async () => {
    const keyring = await create();
    const proxy = await startFaultProxy({ target: redis });
    try {
      const server = await start({ keys: [randomBytes(32)] }, proxy.url);
      proxy.setLatency(100);
      const bytesSent = () => proxy.connections().reduce((sum, connection) => sum + connection.bytesSent, 0);
      const before = bytesSent();
      await until(() => bytesSent() > before);
      await server.replaceKeys([keyEncryptionKey]);
      expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    } finally {
      await proxy.stop();
    }
  });

  test('is read with a key-encryption key that was replaced, although no change was announced', async () => {
    const keyring = await create();
    const announced = announcedKeys(prefix);
    const { registry } = await openRedisRegistry(redis.url, { prefix, announced: Object.values(announced) });
    try {
      const server = await start({ keys: [randomBytes(32)], announced });
      // Its last read began since.
      await until(() => announced.keyring.unchangedUntil(performance.now() - 300) !== undefined);
      await server.replaceKeys([keyEncryptionKey]);
      expect(signs(server)).toBe(keyring.keys[0]?.keyId);
    } finally {
      await registry.close();
    }
  });

  test('is not changed into one that servers would reject', async () => {
    const keyring = await create();
    const [leaked] = keyring.keys;
    await setStored({ ...keyring, version: 2 ** 52 });
    const changing = change((each, now) => withoutKey(each, leaked?.keyId ?? '', now));
    await expect(changing).rejects.toThrow(
      /^servers would reject the changed keyring, because its "version" is 4503599627371\d{3}, not a positive integer; stop all servers/,
    );
    expect(parseKeyring(await stored()).version).toBe(2 ** 52);
  });

  test('is changed by one of many servers at a time', async () => {
    await create();
    const options = await changeOptions(client, prefix);
    const due = {
      ...options,
      store: { ...options.store, read: async () => shift(await options.store.read(), 30 * DAY) },
    };
    // Read 30 days later; written as if it were then.
    const replace: typeof options.store.replace = (expected, next, at) =>
      options.store.replace(expected, next, at - 30 * DAY);
    const all = Array.from({ length: 10 }, () =>
      changeKeyring({ ...due, store: { ...due.store, replace } }, (each) => each),
    );
    const results = await Promise.all(all);
    expect(results.filter(({ before, after }) => before !== after)).toHaveLength(1);
    expect(parseKeyring(await stored()).keys).toHaveLength(3);
  });

  const shift = <Read extends { readonly time: number }>(read: Read, by: number): Read => ({
    ...read,
    time: read.time + by,
  });

  test('is maintained by its servers', async () => {
    const settings = { publishAhead: 1_000, rotation: 1_500, retention: 2_000, clockTolerance: 50 };
    const first = await create({ settings });
    const all = await Promise.all([start({ settings }), start({ settings })]);
    await until(() => all.every((server) => server.keyring.find(first.keys[0]?.keyId ?? '') === undefined));
    for (const server of all) {
      expect(signs(server)).not.toBe(false);
      expect(server.log.every(({ event }) => ['keyring_loaded', 'keyring_changed'].includes(event))).toBe(true);
    }
  });

  test('is not maintained by a server that rejects it: its keys would be written again', async () => {
    const settings = { publishAhead: 1_000, rotation: 1_500, retention: 2_000, clockTolerance: 50 };
    const keyring = await create({ settings });
    const attacker = await startOther();
    const server = await start({ settings });
    const forged = serializeKeyring({ ...keyring, version: 99, keys: [...keyring.keys, attacker] });
    await setStored(forged);
    await until(() => server.count('keyring_rejected') === 1);
    // A rotation is due within this time, and maintenance every 0.1 s.
    await delay(3_000);
    expect(await stored()).toBe(forged);
    expect(server.count('keyring_maintenance_failed')).toBe(0);
  });

  test('is maintained once at a time by a server, also while that generates keys', async () => {
    const slow = ['RS256', 'RS384', 'PS256', 'PS384'] as const;
    await create();
    for (const algorithm of slow)
      await createKeyring(await changeOptions(client, prefix), { first: 'ES256', algorithm });
    const keyring = parseKeyring(await stored());
    const byAlgorithm = Map.groupBy(keyring.keys, ({ algorithm }) => algorithm);
    const keys = [...byAlgorithm.values()].flatMap(([first]) => first ?? []);
    await setStored({ ...keyring, keys });
    const reads = async () => Number(/cmdstat_evalsha_ro:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]);
    const before = await reads();
    await start();
    await until(async () => parseKeyring(await stored()).keys.length > keys.length);
    // Another one may have begun, since the keyring has changed.
    expect((await reads()) - before).toBeLessThanOrEqual(2);
  });

  test('is not followed by a server that has stopped', async () => {
    const keyring = await create();
    const [stopped, other] = [await start(), await start()];
    await stopped.keyring.close();
    await change((each, now) => withoutKey(each, keyring.keys[0]?.keyId ?? '', now));
    await until(() => other.count('keyring_changed') === 1);
    // Ten polls.
    await delay(500);
    expect(stopped.count('keyring_changed')).toBe(0);
    expect(publishes(stopped, keyring)).toBe(true);
  });

  test('is not maintained by a server whose clock differs by more than five minutes from that of Redis', async () => {
    await create();
    const settings = { ...policy, publishAhead: MINUTE };
    const [before, server] = [await stored(), await start({ settings, clock: () => 31 * DAY })];
    await until(() => server.count('keyring_maintenance_failed') === 1);
    expect(server.log.at(-1)?.reason).toMatch(/the clocks of Redis and of this server differ by 26784\d\d s/);
    expect(await stored()).toBe(before);
  });

  test.each([4 * MINUTE, -4 * MINUTE])('signs on a server whose clock is off by %i ms', async (offset) => {
    await create();
    expect(signs(await start({ clock: () => offset }))).not.toBe(false);
  });

  test.each([
    [
      'has no key for the own algorithm of a server',
      'RS256',
      /no key for RS256: run `countersign keys create --alg RS256`/,
    ],
    ['has a first key for it that does not sign yet', 'EdDSA', /the first key for EdDSA signs from /],
  ] as const)('%s: it is not ready', async (_, algorithm, reason) => {
    await create();
    await createKeyring(await changeOptions(client, prefix), { first: 'ES256', algorithm: 'EdDSA' });
    expect((await start({ algorithm })).keyring.notReadyReason).toMatch(reason);
  });

  test('signs with an algorithm that was added, once its first key has been published for long enough', async () => {
    await create();
    await createKeyring(await changeOptions(client, prefix), { first: 'ES256', algorithm: 'EdDSA' });
    const server = await start({ algorithm: 'EdDSA', clock: () => DAY });
    expect(server.keyring.algorithms).toEqual(['EdDSA', 'ES256']);
    expect(server.keyring.signingKey().algorithm).toBe('EdDSA');
  });

  test('is not readable: servers are live, and ready once Redis is up', async () => {
    const port = await freePort();
    const server = await start({}, `redis://127.0.0.1:${port}`);
    expect(server.keyring.notReadyReason).toMatch(/cannot be read from Redis: connect ECONNREFUSED/);
    const late = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), port });
    const lateClient = new Redis(port);
    try {
      await createKeyring(await changeOptions(lateClient, prefix), { first: 'ES256', algorithm: undefined });
      await until(() => signs(server) !== false);
      await late.stop();
      await until(() => server.log.length > 0);
      expect(signs(server)).not.toBe(false);
    } finally {
      lateClient.disconnect();
      await late.stop();
    }
  });

  test('is in a database that does not exist: the reason names it', async () => {
    const server = await start({}, `${redis.url}/99`);
    expect(server.keyring.notReadyReason).toMatch(/no database of this number/);
  });

  test.each([
    ['get', /lacks \+get/, 'keyring_read_failed'],
    ['evalsha_ro', /lacks \+evalsha_ro/, 'keyring_maintenance_failed'],
    ['evalsha', /lacks \+evalsha/, 'keyring_maintenance_failed'],
    ['time', /./, 'keyring_maintenance_failed'],
  ])('may not be used with %s: the log names the rule', async (denied, rule, event) => {
    const settings = { publishAhead: 1_000, rotation: 1_500, retention: 2_000, clockTolerance: 50 };
    await create({ settings });
    const commands = 'hello auth ping info get set type time eval evalsha eval_ro evalsha_ro'.split(' ');
    const rules = commands.map((command) => `${command === denied ? '-' : '+'}${command}`);
    await client.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', `~${prefix}*`, ...rules);
    const server = await start({ settings }, `redis://limited:secret@127.0.0.1:${redis.port}`);
    await until(() => server.count(event) > 0);
    expect(server.log.find((entry) => entry.event === event)?.reason).toMatch(rule);
    await client.call('ACL', 'SETUSER', 'limited', `+${denied}`);
    await until(() => signs(server) !== false && server.count('keyring_changed') > 0);
  });

  test('contains no private key and no key-encryption key in what Redis and the log hold', async () => {
    const keyring = await create();
    const options = await changeOptions(client, prefix);
    const secrets = await Promise.all(
      keyring.keys.map(async ({ sealed }) => (await options.sealer.unseal(sealed)).d ?? ''),
    );
    const server = await start();
    await setStored({ ...keyring, version: 9, keys: keyring.keys.map((key) => ({ ...key, sealed: 'x' })) });
    await until(() => server.count('keyring_rejected') === 1);
    await setStored(keyring);
    const dump = (await client.dumpBuffer(`${prefix}keyring`))?.toString('latin1') ?? '';
    const texts = [dump, await stored(), JSON.stringify(server.log), JSON.stringify(server.keyring.published)];
    for (const secret of [...secrets, keyEncryptionKey.toString('base64url'), keyEncryptionKey.toString('latin1')]) {
      expect(secret.length).toBeGreaterThan(20);
      for (const text of texts) expect(text).not.toContain(secret);
    }
  });
});

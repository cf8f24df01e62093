import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdministrationError } from '../../src/administration/administration-error.ts';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { changedFields } from '../../src/administration/change.ts';
import { changeRecord, removeRecord } from '../../src/administration/change-record.ts';
import { clientsOfCertificate } from '../../src/administration/clients-of-certificate.ts';
import { makePlan, makePlanOf, type Plan } from '../../src/administration/plan.ts';
import { listRecords } from '../../src/administration/stored-records.ts';
import { identityKey } from '../../src/clients/identities.ts';
import { identitiesOf } from '../../src/clients/registered-identities.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { clientKey } from '../../src/resources/record-types.ts';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { type OpenedStore, openStore } from '../support/record-store.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type ClientRecord = { readonly client_id: string; readonly [field: string]: unknown };

const directory = temporaryDirectory();
const named = (client_id: string, name: string, more: object = {}): ClientRecord => ({
  client_id,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: name,
  ...more,
});
const [caA, caB] = ['A', 'B'].map((name) => createHash('sha256').update(name).digest('base64url'));
const spiffe = (client_id: string, path: string, ca = caA): ClientRecord => ({
  client_id,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_spiffe_id: `spiffe://prod.example/${path}`,
  tls_client_auth_ca: [ca],
});
const certificates = Array.from({ length: 3 }, () => selfSigned());
const certified = (client_id: string, numbers: readonly number[], more: object = {}): ClientRecord => ({
  client_id,
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: numbers.map((number) => ({ thumbprint: certificates[number]?.thumbprint, ...more })),
});

describeWith(['redis-server'], 'plan and apply', () => {
  let prefix: string;
  let opened: OpenedStore;
  const options = { policy: defaultPolicy, now: Date.now(), progress: () => {} };
  const file = (records: readonly object[] | string, name = 'clients.json') => {
    const path = join(directory, name);
    writeFileSync(path, typeof records === 'string' ? records : JSON.stringify(records));
    return path;
  };
  const plan = (records: readonly object[] | string, prune = false) =>
    makePlan([file(records)], opened.store, { ...options, prune });
  const apply = async (records: readonly object[], prune = false) => {
    const made = await plan(records, prune);
    return { plan: made, applied: await applyPlan(made.changes, opened.store, () => {}) };
  };
  const kinds = ({ changes }: Plan) => [...changes.batches(100)].flat().map(({ kind, id }) => `${kind} ${id}`);
  const stored = async () => {
    const records = [];
    for await (const { record } of listRecords(opened.store, options)) records.push(record);
    return records;
  };
  const index = async () => {
    const keys = (await opened.redis.keys(`${prefix}identity:*`)).sort();
    const entries = await Promise.all(
      keys.map(async (key) => [key, (await opened.redis.smembers(key)).sort()] as const),
    );
    return entries.flatMap(([key, members]) => members.map((member) => `${key.slice(prefix.length)} ${member}`));
  };
  const empty = async () => {
    const keys = await opened.redis.keys(`${prefix}*`);
    if (keys.length > 0) await opened.redis.del(keys);
  };

  beforeAll(async () => {
    prefix = keyPrefix();
    opened = await openStore(prefix);
  });
  afterAll(() => opened?.close());

  describe('with any earlier content of Redis', () => {
    const names = ['a', 'b', 'c', 'x{y}:z'];
    /** Different clients never share a name or certificate, so there are no conflicts. */
    const record = (client_id: string): fc.Arbitrary<ClientRecord> =>
      fc
        .record({
          method: fc.boolean(),
          scope: fc.constantFrom('', 'x', 'x y'),
          claims: fc.constantFrom({}, { t: [1] }),
          which: fc.constantFrom('one', 'two'),
        })
        .map(({ method, scope, claims, which }) => {
          const position = names.indexOf(client_id);
          if (method) return named(client_id, `${which}.c${position}`, { scope, claims });
          const thumbprint = Buffer.alloc(32, which.length * 16 + position).toString('hex');
          return {
            client_id,
            token_endpoint_auth_method: 'self_signed_tls_client_auth',
            certificates: [{ thumbprint }],
            scope,
          };
        });
    const some = fc.subarray(names).chain((chosen) => fc.tuple(...chosen.map(record)));

    test('apply --prune makes Redis match the file and its index, and applying again changes nothing', async () => {
      await fc.assert(
        fc.asyncProperty(some, some, fc.subarray(names), async (before, after, invalidIds) => {
          await empty();
          await apply(before);
          for (const clientId of invalidIds) await opened.redis.set(opened.key(clientId), '{"client_id":');
          const { applied, plan: made } = await apply(after, true);
          expect(applied.conflicts).toEqual([]);
          expect(applied.written).toBe(made.changes.count);
          expect(await stored()).toEqual([...after].sort((one, other) => (one.client_id < other.client_id ? -1 : 1)));
          const entries = [];
          for await (const { client, clientId } of listRecords(opened.store, options)) {
            for (const identity of client ? identitiesOf(client) : [])
              entries.push(`identity:${identityKey(identity)} ${clientId}`);
          }
          // Entries left behind by an invalid value are stale and harmless.
          expect(await index()).toEqual(expect.arrayContaining(entries));
          if (invalidIds.length === 0) expect(await index()).toEqual(entries.sort());
          expect((await plan(after, true)).changes.count).toBe(0);
        }),
        { numRuns: 25 },
      );
    });
  });

  test('apply without --prune keeps unmanaged clients, and lists them', async () => {
    await empty();
    await apply([named('a', 'a'), named('b', 'b')]);
    const { plan: made } = await apply([named('a', 'a', { scope: 'x' })]);
    expect(kinds(made)).toEqual(['changed a']);
    expect(made.unmanaged.client).toEqual(['b']);
    expect((await stored()).map((record) => record?.client_id)).toEqual(['a', 'b']);
  });

  test('unmanaged clients are sorted by client_id', async () => {
    await empty();
    const names = Array.from({ length: 50 }, (_, number) => `c${number + 10}`);
    await apply(names.map((name) => named(name, name)).toReversed());
    expect((await plan([named('z', 'z')])).unmanaged.client).toEqual(names);
    const pruned = await plan([named('z', 'z'), named('a', 'a')], true);
    expect(kinds(pruned)).toEqual(['added z', 'added a', ...names.map((name) => `removed ${name}`)]);
  });

  test('apply writes complete clients when it is stopped, and the rest when it is run again', async () => {
    await empty();
    const records = Array.from({ length: 3_000 }, (_, number) => named(`c${number}`, `${number}.example`));
    const made = await plan(records);
    const stop = new AbortController();
    const failure = applyPlan(made.changes, opened.store, () => stop.abort(), stop.signal);
    const error = await failure.catch((reason: unknown) => reason);
    const written = (await stored()).length;
    expect([written % 200, written < 3_000]).toEqual([0, true]);
    const how = `${written} of 3000 records were written; running the command again writes the rest`;
    expect(error).toEqual(new AdministrationError([how]));
    expect(await index()).toHaveLength(written);
    expect(await opened.redis.exists(`${prefix}registry`)).toBe(0);
    expect((await apply(records)).applied).toEqual({ written: 3_000 - written, conflicts: [], marker: 'written' });
  });

  test('a record written by hand in another order and with white space is unchanged', async () => {
    await empty();
    const { client_id, ...others } = named('a', 'a');
    await opened.redis.set(opened.key('a'), JSON.stringify({ ...others, client_id }, null, 2));
    const { plan: made } = await apply([named('a', 'a')]);
    // Only its index entries are missing.
    expect(kinds(made)).toEqual(['reindexed a']);
    expect(await index()).toHaveLength(1);
    expect((await plan([named('a', 'a')])).changes.count).toBe(0);
  });

  test('a replaced certificate is removed from the index', async () => {
    await empty();
    await apply([certified('a', [0, 1])]);
    await apply([certified('a', [1, 2])]);
    const thumbprints = [1, 2].map((number) => `identity:thumbprint:${certificates[number]?.thumbprint} a`);
    expect(await index()).toEqual(thumbprints.sort());
  });

  test('plan lists clients that would be re-enabled', async () => {
    await empty();
    await apply([named('a', 'a', { enabled: false }), named('b', 'b', { enabled: false })]);
    const made = await plan([named('a', 'a'), named('b', 'b', { enabled: false, scope: 'x' })]);
    expect(made.reenabled).toEqual(['a']);
  });

  test('with keepDisabled, apply changes a client that was disabled in Redis, and does not re-enable it', async () => {
    await empty();
    await apply([named('a', 'a'), named('b', 'b', { enabled: false }), named('c', 'c'), named('d', 'd')]);
    const disable = (record: object) => ({ ...record, enabled: false });
    await changeRecord(opened.store, 'a', disable);
    await changeRecord(opened.store, 'c', disable);
    // The file disables "d", and enables the others. It says so for "c" only, which is the default.
    const records = [
      named('a', 'other', { scope: 'x' }),
      named('b', 'b'),
      named('c', 'c', { enabled: true }),
      named('d', 'd', { enabled: false }),
    ];
    const keeping = () => makePlan([file(records)], opened.store, { ...options, prune: true, keepDisabled: true });
    const made = await keeping();
    expect([made.keptDisabled, made.reenabled]).toEqual([['a', 'b', 'c'], []]);
    expect(kinds(made)).toEqual(['changed a', 'changed d']);
    expect(await applyPlan(made.changes, opened.store, () => {})).toMatchObject({ written: 2, conflicts: [] });
    expect(await stored()).toEqual(records.map((record) => ({ ...record, enabled: false })));
    const again = await keeping();
    expect([again.changes.count, again.keptDisabled]).toEqual([0, ['a', 'b', 'c']]);
    // Without the option, the file decides.
    expect((await apply(records)).plan).toMatchObject({ reenabled: ['a', 'b', 'c'], keptDisabled: [] });
    expect((await keeping()).keptDisabled).toEqual([]);
  });

  test('with keepDisabled, apply keeps a client disabled whose record has become invalid', async () => {
    await empty();
    await opened.redis.set(opened.key('a'), JSON.stringify({ client_id: 'a', enabled: false, unknown: 1 }));
    const made = await makePlan([file([named('a', 'a')])], opened.store, {
      ...options,
      prune: false,
      keepDisabled: true,
    });
    await applyPlan(made.changes, opened.store, () => {});
    expect(await stored()).toEqual([named('a', 'a', { enabled: false })]);
  });

  test('with keepDisabled, a client that is disabled while apply runs is a conflict', async () => {
    await empty();
    await apply([named('a', 'a')]);
    const records = [named('a', 'a', { scope: 'x' })];
    const made = await makePlan([file(records)], opened.store, { ...options, prune: false, keepDisabled: true });
    await changeRecord(opened.store, 'a', (record) => ({ ...record, enabled: false }));
    const { conflicts } = await applyPlan(made.changes, opened.store, () => {});
    expect(conflicts.map(({ id }) => id)).toEqual(['a']);
    expect(await stored()).toEqual([named('a', 'a', { enabled: false })]);
  });

  test('apply replaces values that are not records', async () => {
    await empty();
    await opened.redis.lpush(opened.key('a'), 'x');
    await opened.redis.set(opened.key('b'), Buffer.from([0xff, 0x00]));
    await opened.redis.set(opened.key('c'), `{"client_id":"c","claims":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    // Invalid UTF-8, which decodes to the text of the record in the file.
    const replaced = named('d', 'd', { client_name: '\uFFFD' });
    const [start = '', end = ''] = JSON.stringify(replaced).split('\uFFFD');
    await opened.redis.set(opened.key('d'), Buffer.concat([Buffer.from(start), Buffer.from([0xff]), Buffer.from(end)]));
    const records = [...['a', 'b', 'c'].map((name) => named(name, name)), replaced];
    const { plan: made } = await apply(records);
    expect(kinds(made)).toEqual(['changed a', 'changed b', 'changed c', 'changed d']);
    const [first] = made.changes.batches(1);
    expect(first?.flatMap(changedFields).map(({ field }) => field)).toContain('tls_client_auth_san_dns');
    expect(await stored()).toEqual(records);
  });

  test('a record under the key of another client is invalid, and reserves no identities', async () => {
    await empty();
    await apply([named('a', 'a')]);
    await opened.redis.rename(opened.key('a'), opened.key('b'));
    const listed = [];
    for await (const each of listRecords(opened.store, options)) listed.push(each);
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ clientId: 'b', client: undefined, errors: [{ field: 'client_id' }] });
    expect(kinds(await plan([named('c', 'a')]))).toEqual(['added c']);
    expect(kinds(await plan([named('b', 'a')]))).toEqual(['changed b']);
  });

  test('a certificate is found by each pattern that its SPIFFE ID matches', async () => {
    await empty();
    const id = 'spiffe://prod.example/ns/shop/sa/billing';
    const certificate = parseClientCertificate(selfSigned({ uris: [id] }).der);
    const patterns = ['ns/shop/sa/billing', 'ns/*/sa/billing', 'ns/*/sa/*', '*/*/*/billing', 'ns/*/sa/orders', '*/*'];
    await apply(patterns.map((path, number) => spiffe(`c${number}`, path)));
    const found = await clientsOfCertificate(certificate, opened.store, defaultPolicy, options.now);
    expect(found.map(({ identities }) => identities.map(({ identity }) => identity.text))).toEqual([
      [`SPIFFE ID ${id}`],
      ...['ns/*/sa/billing', 'ns/*/sa/*', '*/*/*/billing'].map((path) => [`SPIFFE IDs spiffe://prod.example/${path}`]),
    ]);
  });

  test('the record decides whether a certificate matches a client, not the index', async () => {
    await empty();
    const [certificate = selfSigned()] = certificates;
    const parsed = parseClientCertificate(certificate.der);
    const clientsOf = async () => {
      const possible = await clientsOfCertificate(parsed, opened.store, defaultPolicy, options.now);
      return possible.map(({ client, identities }) => `${client.clientId} ${identities.length}`);
    };
    await apply([certified('a', [0, 1]), certified('b', [2])]);
    await opened.redis.sadd(`${prefix}identity:thumbprint:${certificate.thumbprint}`, 'b', 'nobody');
    expect(await clientsOf()).toEqual(['a 1']);
    await opened.redis.set(opened.key('a'), JSON.stringify(certified('a', [1])));
    expect(await clientsOf()).toEqual([]);
  });

  test('a running server applies disable, enable and remove within a second', async () => {
    await empty();
    await apply([named('a', 'a')]);
    const { registry } = await openRedisRegistry(redisUrl(), { prefix });
    const seen = async () => (await registry.find('a'))?.enabled;
    const becomes = async (expected: boolean | undefined) => {
      await eventually(
        async () => (await seen()) === expected,
        () => `not ${expected}`,
        1_000,
      );
    };
    await becomes(true);
    await changeRecord(opened.store, 'a', (record) => ({ ...record, enabled: false }));
    await becomes(false);
    await apply([named('a', 'a')]);
    await becomes(true);
    await removeRecord(opened.store, clientKey('a'), defaultPolicy);
    await becomes(undefined);
    await registry.close();
  });

  test('apply replaces an index key that is not a set', async () => {
    await empty();
    await apply([named('a', 'a')]);
    const [key = ''] = await opened.redis.keys(`${prefix}identity:*`);
    await opened.redis.set(key, 'no set');
    expect(kinds((await apply([named('a', 'a')])).plan)).toEqual(['reindexed a']);
    expect(await index()).toEqual([`${key.slice(prefix.length)} a`]);
  });

  test('apply writes the marker, and restores it when it was lost', async () => {
    await empty();
    expect((await apply([])).applied.marker).toBe('written');
    expect(JSON.parse((await opened.redis.get(`${prefix}registry`)) ?? '')).toEqual({ format: 1 });
    expect((await apply([])).applied.marker).toBe('present');
    for (const [lose, marker] of [
      [() => opened.redis.del(`${prefix}registry`), 'written'],
      [() => opened.redis.set(`${prefix}registry`, 'x'), 'present'],
    ] as const) {
      await lose();
      expect((await apply([])).applied.marker).toBe(marker);
      expect(await opened.redis.get(`${prefix}registry`)).toBe('{"format":1}');
    }
  });

  test('apply skips clients that were changed after the plan, and writes the others', async () => {
    await empty();
    await apply([named('a', 'a'), named('b', 'b')]);
    const made = await plan([named('a', 'a', { scope: 'x' }), named('b', 'b', { scope: 'x' })]);
    const theirs = JSON.stringify(named('a', 'a', { scope: 'theirs' }));
    await opened.redis.set(opened.key('a'), theirs);
    expect(await applyPlan(made.changes, opened.store, () => {})).toMatchObject({
      written: 1,
      conflicts: [clientKey('a')],
    });
    expect(await opened.redis.get(opened.key('a'))).toBe(theirs);
    expect(await opened.redis.get(opened.key('b'))).toContain('"scope":"x"');
  });

  describe('two clients that share a certificate are reported, and rejected if certificates must be unique', () => {
    const unique = { ...defaultPolicy, uniqueCertificates: true };
    const planUnique = (records: readonly object[], policy = unique) =>
      makePlan([file(records)], opened.store, { ...options, policy, prune: false });
    /** The problems of records that can be planned otherwise. */
    const rejection = async (records: readonly object[]) => {
      const error = await planUnique(records).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AdministrationError);
      const problems = error instanceof AdministrationError ? error.problems : [];
      const reported = (await plan(records)).shared.lines();
      const subjectOf = (line: string) => line.split(/, and COUNTERSIGN_UNIQUE|\. A request names/)[0];
      expect(reported.map(subjectOf)).toEqual(problems.map(subjectOf));
      return problems;
    };

    test('when both are in one file', async () => {
      await empty();
      const messages = await rejection([certified('a', [0]), named('b', 'b'), certified('c', [1, 0])]);
      expect(messages).toHaveLength(1);
      expect(messages[0]).toMatch(/is shared by 2 clients: a \(.*clients\.json:1\), c \(.*clients\.json:1\), and/);
      expect(messages[0]).toContain(`thumbprint ${certificates[0]?.thumbprint} is shared`);
      expect(messages[0]).toContain('COUNTERSIGN_UNIQUE_CERTIFICATES is true: register it for one of them only');
      expect(await stored()).toEqual([]);
    });

    test('when one is unchanged in Redis, or only in Redis', async () => {
      await empty();
      await apply([named('a', 'x.example')]);
      for (const records of [[named('a', 'x.example'), named('b', 'X.example')], [named('b', 'X.example')]]) {
        const [message] = await rejection(records);
        expect(message).toMatch(/^dns x\.example is shared by 2 clients: .*\ba \(/);
        expect(message).toContain('b (');
        expect(message).toContain('register the others by another name, or pin them to different trust anchors');
      }
    });

    test('unless the other is pruned, or changed by the same file', async () => {
      await empty();
      await apply([named('a', 'x.example')]);
      expect(kinds(await plan([named('b', 'x.example')], true))).toEqual(['added b', 'removed a']);
      const moved = [named('b', 'x.example'), named('a', 'y.example')];
      expect(kinds(await plan(moved))).toEqual(['added b', 'changed a']);
      await apply(moved);
      expect((await plan(moved)).changes.count).toBe(0);
    });

    test('unless the index entry is stale', async () => {
      await empty();
      await apply([named('a', 'x.example'), named('gone', 'z.example')]);
      const [key = ''] = (await index()).filter((entry) => entry.endsWith(' a'));
      await opened.redis.set(opened.key('a'), JSON.stringify(named('a', 'y.example')));
      await opened.redis.sadd(`${prefix}${key.split(' ')[0]}`, 'gone', 'nobody', 'not\nan\u0000id');
      // A record that was written by hand is indexed.
      expect(kinds(await plan([named('b', 'x.example')]))).toEqual(['added b', 'reindexed a']);
    });

    test('when one was written by hand, and is not in the index', async () => {
      await empty();
      await opened.redis.set(opened.key('a'), JSON.stringify(named('a', 'x.example')));
      const [message] = await rejection([named('b', 'X.example')]);
      expect(message).toContain('a (in Redis)');
      await apply([named('b', 'other.example')]);
      expect((await index()).filter((entry) => entry.endsWith(' a'))).toHaveLength(1);
      expect(kinds(await plan([named('b', 'X.example')], true))).toEqual(['changed b', 'removed a']);
    });

    test('when one contains the certificate, and the other is registered by another identity of it', async () => {
      const [{ pem } = selfSigned()] = certificates;
      const held = { ...certified('a', [1]), certificates: [{ pem }, { pem: certificates[1]?.pem }] };
      const { publicKey: publicKeyThumbprint } = parseClientCertificate(
        certificates[0]?.der ?? new Uint8Array(),
      ).otherThumbprints;
      const byKey = { ...certified('b', []), certificates: [{ public_key_thumbprint: publicKeyThumbprint }] };
      const method = 'tls_client_auth';
      const byName = { client_id: 'b', token_endpoint_auth_method: method, tls_client_auth_subject_dn: 'CN=client' };
      for (const [other, what] of [
        [byKey, `public key ${publicKeyThumbprint} is shared by`],
        [byName, 'subject CN=client is shared by'],
      ] as const) {
        await empty();
        for (const [first, second] of [
          [held, other],
          [other, held],
        ] as const) {
          await empty();
          expect(await rejection([first, second])).toEqual([expect.stringContaining(what)]);
          await opened.redis.set(opened.key(first.client_id), JSON.stringify(first));
          const [message] = await rejection([second]);
          expect(message).toContain(`${first.client_id} (in Redis)`);
          expect(message).toContain(what);
          // Not shared when the other is removed.
          expect(kinds(await plan([second], true))).toHaveLength(2);
        }
      }
    });

    describe('when their SPIFFE IDs overlap', () => {
      const [byNamespace, byAccount] = [spiffe('a', 'ns/prod/sa/*'), spiffe('b', 'ns/*/sa/billing')];
      const id = 'spiffe://prod.example/ns/prod/sa/billing';
      const fix = 'give one of them a pattern with more literal segments, which has precedence, or pin them';

      test('in one file', async () => {
        await empty();
        const messages = await rejection([byNamespace, byAccount]);
        expect(messages).toHaveLength(1);
        expect(messages[0]).toMatch(/ is shared by 2 clients: a \(.*clients\.json:1\), b \(.*clients\.json:1\)/);
        expect(messages[0]).toContain(`SPIFFE ID ${id} `);
        expect(messages[0]).toContain(fix);
      });

      test('in Redis, indexed or not', async () => {
        for (const [stored, added] of [
          [byNamespace, byAccount],
          [byAccount, byNamespace],
        ] as const) {
          await empty();
          await apply([stored]);
          const expected = [expect.stringMatching(`SPIFFE ID ${id} is shared by .*${fix}`)];
          expect(await rejection([added])).toEqual(expected);
          await empty();
          await opened.redis.set(opened.key(stored.client_id), JSON.stringify(stored));
          expect(await rejection([added])).toEqual(expected);
          expect(kinds(await plan([added], true))).toHaveLength(2);
        }
      });

      test('with a registered certificate', async () => {
        await empty();
        const held = { ...certified('a', [1]), certificates: [{ pem: selfSigned({ uris: [id] }).pem }] };
        const what = 'SPIFFE IDs spiffe://prod.example/ns/*/sa/billing is shared by';
        expect(await rejection([held, byAccount])).toEqual([expect.stringContaining(what)]);
      });

      test('with a URI', async () => {
        await empty();
        const byUri = { ...named('a', 'a'), tls_client_auth_san_dns: undefined, tls_client_auth_san_uri: id };
        expect(await rejection([byUri, spiffe('b', 'ns/prod/sa/billing')])).toHaveLength(1);
        expect(kinds(await plan([byUri, byAccount]))).toEqual(['added a', 'added b']);
      });

      test('unless one has precedence, or they are pinned to different trust anchors', async () => {
        await empty();
        const more = [spiffe('c', 'ns/prod/sa/billing'), spiffe('d', 'ns/*/sa/*')];
        expect(kinds(await plan([byAccount, ...more]))).toEqual(['added b', 'added c', 'added d']);
        const anchors = [caA, caB].map((key = '') => ({ subjectText: '', publicKeyThumbprint: key }));
        const policy = { ...defaultPolicy, anchors };
        const disjoint = [byNamespace, spiffe('b', 'ns/*/sa/billing', caB)];
        const made = await planUnique(disjoint, { ...policy, uniqueCertificates: true });
        expect(kinds(made)).toEqual(['added a', 'added b']);
        expect(await rejection(disjoint)).toHaveLength(1);
      });
    });

    test('unless one registration ends before the other starts', async () => {
      await empty();
      await apply([certified('a', [0], { not_after: '2030-01-31' })]);
      const [later, meanwhile] = ['2030-02-01', '2030-01-31'].map((day) => certified('b', [0], { not_before: day }));
      expect(kinds(await plan([later ?? {}]))).toEqual(['added b']);
      expect(await rejection([meanwhile ?? {}])).toHaveLength(1);
    });

    test('once, with the first 50 of a thousand clients', async () => {
      await empty();
      const many = Array.from({ length: 1_000 }, (_, number) => named(`c${number}`, 'same.example'));
      const [message, ...others] = await rejection(many);
      expect(others).toEqual([]);
      expect(message).toMatch(/^dns same\.example is shared by 1000 clients: c0 \(.*, c49 \([^,]*\) and 950 more, and/);
    });

    test('with at most 50 messages', async () => {
      const pairs = Array.from({ length: 120 }, (_, number) => named(`c${number}`, `${number % 60}.example`));
      const messages = await rejection(pairs);
      expect(messages).toHaveLength(51);
      expect(messages.at(-1)).toBe('… and 10 more shared identities');
    });

    test('and not by a plan for other clients', async () => {
      await empty();
      await apply([named('a', 'x.example'), named('b', 'x.example')]);
      expect((await planUnique([named('c', 'other.example')])).shared.count).toBe(0);
    });

    test('until one of them is changed', async () => {
      await empty();
      await apply([named('a', 'x.example'), named('b', 'x.example')]);
      const { plan: made, applied } = await apply([named('b', 'y.example')]);
      expect([made.shared.count, applied.written]).toEqual([0, 1]);
      expect((await index()).filter((entry) => entry.startsWith('identity:dns:'))).toHaveLength(2);
    });
  });

  test('apply removes pruned clients before it writes others', async () => {
    await empty();
    await apply([named('a', 'a')]);
    const made = await plan([named('b', 'a')], true);
    const written: string[] = [];
    const write: typeof opened.store.write = (writes) => {
      written.push(...writes.map(({ id }) => id));
      return opened.store.write(writes);
    };
    await applyPlan(made.changes, { ...opened.store, write }, () => {});
    expect(written).toEqual(['a', 'b']);
  });

  test('plan --prune rejects a file that is still being written', async () => {
    await empty();
    const records = Array.from({ length: 5_000 }, (_, number) => named(`c${number}`, `name${number}`));
    await apply(records);
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    const path = file(lines.slice(0, 4_000).join(''), 'written.jsonl');
    const rest = lines.slice(4_000);
    let isPlanned = false;
    const planning = makePlan([path], opened.store, { ...options, prune: true }).finally(() => {
      isPlanned = true;
    });
    planning.catch(() => {}); // Asserted below.
    // Repeatedly, since the times of the first and last read are unknown.
    for (; !isPlanned && rest.length > 0; await delay(5)) appendFileSync(path, rest.shift() ?? '');
    appendFileSync(path, rest.join(''));
    await expect(planning).rejects.toThrow(/written\.jsonl: changed while it was read; try again/);
    expect((await makePlan([path], opened.store, { ...options, prune: true })).changes.count).toBe(0);
  });

  test('plan --prune rejects JSON Lines without a record, and accepts an empty list', async () => {
    await empty();
    await apply([named('a', 'a')]);
    for (const text of ['', '\n \n']) {
      const failure = makePlan([file(text, 'empty.jsonl')], opened.store, { ...options, prune: true });
      await expect(failure).rejects.toThrow(/empty\.jsonl: contains no record; if there are no clients, .* \[\]/);
    }
    for (const text of ['[]', 'clients: []']) {
      const made = await makePlan([file(text, 'none.yaml')], opened.store, { ...options, prune: true });
      expect(kinds(made)).toEqual(['removed a']);
    }
  });

  test('plan reports every error of every file, and nothing is written', async () => {
    await empty();
    const files = [
      file([named('a', 'a'), { client_id: 'b' }, named('a', 'c')], 'one.json'),
      file(
        '{"client_id":"c"\n{"client_id":"a","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"q"}\n',
        'two.jsonl',
      ),
      file('- {client_id: "evil\\u001b[2J", scopes: x}', 'three.yaml'),
      file('clients: [', 'four.yaml'),
    ];
    const failure = makePlan(files, opened.store, { ...options, prune: true });
    await expect(failure).rejects.toThrow(AdministrationError);
    const message = await failure.catch((error: Error) => error.message);
    for (const part of [
      /one\.json:1:\d+: client "b": token_endpoint_auth_method: is missing/,
      /one\.json:1:\d+: client "a": client_id: is already defined in .*one\.json:1;/,
      /two\.jsonl:1:17: invalid JSON/,
      /two\.jsonl:2:2: client "a": client_id: is already defined in .*one\.json:1;/,
      /three\.yaml:1:\d+: client "evil\\u\{1b\}\[2J"/,
      /four\.yaml:1:10: invalid YAML: /,
    ]) {
      expect(message).toMatch(part);
    }
    expect(message).not.toContain('\u001b');
    expect(await stored()).toEqual([]);
  });

  test('warns about what a folder contains and does not stand for', async () => {
    const folder = join(directory, 'records.d');
    mkdirSync(join(folder, 'team'), { recursive: true });
    file([named('a', 'a')], 'records.d/team/a.json');
    file([named('b', 'b')], 'records.d/b.txt');
    const made = await makePlanOf([folder], opened.store, { ...options, prune: false });
    expect([kinds(made), made.warnings]).toEqual([
      ['added a'],
      [expect.stringContaining(`${folder}: does not stand for b.txt: `)],
    ]);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { changedFields } from '../../src/administration/change.ts';
import { removeRecord } from '../../src/administration/change-record.ts';
import { makePlan, type Plan } from '../../src/administration/plan.ts';
import { listResources } from '../../src/administration/stored-records.ts';
import { resourceKey } from '../../src/resources/record-types.ts';
import { audienceKey } from '../../src/resources/resource.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { type OpenedStore, openStore } from '../support/record-store.ts';
import { keyPrefix } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const client = (client_id: string, more: object = {}) => ({
  client_id,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: client_id,
  ...more,
});
const resource = (name: string, more: object = {}) => ({
  name,
  resource: `https://${name}.example`,
  scope: 'read',
  binding: 'caller',
  ...more,
});

describeWith(['redis-server'], 'plan and apply of resources', () => {
  const prefix = keyPrefix();
  const directory = temporaryDirectory();
  const options = { policy: defaultPolicy, now: Date.now(), progress: () => {} };
  let opened: OpenedStore;
  let files = 0;
  const file = (content: object | string, extension = 'json') => {
    files += 1;
    const path = join(directory, `${files}.${extension}`);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const plan = (content: object | string, prune = false, extension = 'json') =>
    makePlan([file(content, extension)], opened.store, { ...options, prune });
  const apply = async (content: object | string, prune = false) => {
    const made = await plan(content, prune);
    return { made, applied: await applyPlan(made.changes, opened.store, () => {}) };
  };
  const describeChanges = ({ changes }: Plan) =>
    [...changes.batches(100)].flat().map(({ kind, type, id }) => `${kind} ${type} ${id}`);
  const keys = async () => (await opened.redis.keys(`${prefix}*:*`)).map((key) => key.slice(prefix.length)).sort();
  const identities = (ids: readonly string[]) => ids.map(() => expect.stringMatching(/^identity:dns:/));
  const audiences = (names: readonly string[]) =>
    names.map((name) => `audience:${audienceKey(`https://${name}.example`)}`).sort();
  const namesOf = (audience: string) => opened.redis.smembers(`${prefix}audience:${audienceKey(audience)}`);

  beforeAll(async () => {
    opened = await openStore(prefix);
  });
  beforeEach(async () => {
    const all = await opened.redis.keys(`${prefix}*`);
    if (all.length > 0) await opened.redis.del(all);
  });
  afterAll(() => opened?.close());

  test('write a resource with its fields in the order of the schema, and then find it unchanged', async () => {
    const content = {
      resources: [{ binding: 'caller', forward: 'none', scope: 'read', name: 'a', resource: 'urn:x' }],
    };
    const { made, applied } = await apply(content);
    expect(describeChanges(made)).toEqual(['added resource a']);
    expect(applied).toMatchObject({ written: 1, conflicts: [] });
    expect(await opened.redis.get(`${prefix}resource:a`)).toBe(
      '{"name":"a","resource":"urn:x","scope":"read","binding":"caller","forward":"none"}',
    );
    const again = await plan(content);
    expect([again.changes.count, again.counts.unchanged]).toEqual([0, 1]);
    await opened.redis.set(`${prefix}resource:a`, JSON.stringify(content.resources[0], null, 2));
    expect((await plan(content)).changes.count).toBe(0);
  });

  test('compare both types in one run, field by field', async () => {
    await apply({ clients: [client('a'), client('b')], resources: [resource('a'), resource('b')] });
    const content = {
      resources: [resource('a', { access_token_lifetime: 30 }), resource('c')],
      clients: [client('a', { scope: 'x' }), client('b')],
    };
    const made = await plan(content, true);
    expect(describeChanges(made)).toEqual([
      'changed client a',
      'changed resource a',
      'added resource c',
      'removed resource b',
    ]);
    expect(made.counts).toEqual({ added: 1, changed: 2, removed: 1, reindexed: 0, unchanged: 1 });
    expect(changedFields(made.changes.at(1))).toEqual([
      { field: 'access_token_lifetime', before: undefined, after: 30 },
    ]);
    await applyPlan(made.changes, opened.store, () => {});
    expect(await keys()).toEqual([
      ...audiences(['a', 'c']),
      'client:a',
      'client:b',
      ...identities(['a', 'b']),
      'resource:a',
      'resource:c',
    ]);
  });

  test.each([
    ['a file of clients', [client('b')], [...audiences(['a']), 'client:b', ...identities(['b']), 'resource:a']],
    ['an empty list of clients', { clients: [] }, [...audiences(['a']), 'resource:a']],
    [
      'a file of resources',
      { resources: [resource('b')] },
      [...audiences(['b']), 'client:a', ...identities(['a']), 'resource:b'],
    ],
    ['an empty list of resources', { resources: [] }, ['client:a', ...identities(['a'])]],
    ['an empty list', [], [...audiences(['a']), 'resource:a']],
    ['a list of resources', [resource('b')], [...audiences(['b']), 'client:a', ...identities(['a']), 'resource:b']],
    [
      'a list of both',
      [client('b'), resource('b')],
      [...audiences(['b']), 'client:b', ...identities(['b']), 'resource:b'],
    ],
  ])('remove with --prune only what is of the types in %s', async (_, content, expected) => {
    await apply({ clients: [client('a')], resources: [resource('a')] });
    await apply(content, true);
    expect(await keys()).toEqual(expected);
  });

  test('list unmanaged records by type, with and without --prune', async () => {
    await apply({ clients: [client('b'), client('a')], resources: [resource('b'), resource('a')] });
    expect((await plan([client('a')])).unmanaged).toEqual({ client: ['b'], resource: ['a', 'b'] });
    expect((await plan({ resources: [resource('a')] }, true)).unmanaged).toEqual({ client: ['a', 'b'], resource: [] });
  });

  test('distinguish the types of JSON Lines by their fields', async () => {
    const lines = [client('a'), resource('a'), client('b')].map((record) => JSON.stringify(record)).join('\n');
    const made = await plan(lines, true, 'jsonl');
    expect(describeChanges(made)).toEqual(['added client a', 'added resource a', 'added client b']);
  });

  test('reject a duplicate name, and write nothing', async () => {
    const planning = plan({ clients: [client('a')], resources: [resource('a'), resource('b'), resource('a')] });
    await expect(planning).rejects.toThrow(
      /json:1:\d+: resource "a": name: is already defined in \S+json:1; a resource has one record$/,
    );
    expect(await keys()).toEqual([]);
  });

  test('write a resource only if it is the one that was compared', async () => {
    await apply({ resources: [resource('a'), resource('b')] });
    const made = await plan({ resources: [resource('a', { scope: 'x' }), resource('b', { scope: 'x' })] });
    const other = JSON.stringify(resource('a', { scope: 'other' }));
    await opened.redis.set(`${prefix}resource:a`, other);
    const applied = await applyPlan(made.changes, opened.store, () => {});
    expect(applied).toMatchObject({ written: 1, conflicts: [resourceKey('a')] });
    expect(await opened.redis.get(`${prefix}resource:a`)).toBe(other);
    expect(await opened.redis.get(`${prefix}resource:b`)).toContain('"x"');
  });

  test('publish the key of each resource that is written or removed', async () => {
    const subscriber = opened.redis.duplicate();
    const published: string[] = [];
    subscriber.on('message', (_, key) => published.push(key.slice(prefix.length)));
    await subscriber.subscribe(`${prefix}changes`);
    await apply({ resources: [resource('a'), resource('b')] });
    expect(await removeRecord(opened.store, resourceKey('a'), defaultPolicy)).toEqual({ outcome: 'written' });
    await eventually(
      () => published.length === 6,
      () => `published ${published}`,
    );
    const [ofA = '', ofB = ''] = ['a', 'b'].flatMap((name) => audiences([name]));
    expect(published).toEqual([ofA, ofB, 'resource:a', 'resource:b', 'resource:a', ofA]);
    subscriber.disconnect();
  });

  test('move a resource to its new audience, and leave others there', async () => {
    const shared = 'https://shared.example';
    await apply({ resources: [resource('a', { resource: shared }), resource('b', { resource: shared })] });
    expect((await namesOf(shared)).sort()).toEqual(['a', 'b']);
    await apply({ resources: [resource('a')] });
    expect([await namesOf(shared), await namesOf('https://a.example')]).toEqual([['b'], ['a']]);
  });

  test('write signing_alg and introspection, and add them to a record without reindexing it', async () => {
    await apply({ resources: [resource('a')] });
    const fields = { signing_alg: 'ES384', introspection: ['a', 'b'] };
    const { made } = await apply({ resources: [resource('a', fields)] });
    expect(changedFields(made.changes.at(0)).map(({ field, after }) => ({ field, after }))).toEqual([
      { field: 'signing_alg', after: 'ES384' },
      { field: 'introspection', after: ['a', 'b'] },
    ]);
    expect(JSON.parse((await opened.redis.get(`${prefix}resource:a`)) ?? '')).toEqual(resource('a', fields));
  });

  test('add missing index entries of resources, also of those that are in no file', async () => {
    for (const name of ['a', 'b']) await opened.redis.set(`${prefix}resource:${name}`, JSON.stringify(resource(name)));
    const { made } = await apply({ resources: [resource('a')] });
    expect(describeChanges(made)).toEqual(['reindexed resource a', 'reindexed resource b']);
    expect([await namesOf('https://a.example'), await namesOf('https://b.example')]).toEqual([['a'], ['b']]);
    expect((await plan({ resources: [resource('a')] })).changes.count).toBe(0);
  });

  test('replace a value that is not a record, and remove it', async () => {
    await opened.redis.set(`${prefix}resource:a`, '{');
    await opened.redis.lpush(`${prefix}resource:b`, 'x');
    await opened.redis.set(`${prefix}resource:UPPER`, 'x');
    const made = await plan({ resources: [resource('a')] }, true);
    expect(describeChanges(made)).toEqual(['changed resource a', 'removed resource b']);
    await applyPlan(made.changes, opened.store, () => {});
    expect(await keys()).toEqual([...audiences(['a']), 'resource:UPPER', 'resource:a']);
  });

  test('keep the index entries of a client whose record is also the value of a resource', async () => {
    await apply({ clients: [client('a')] });
    await opened.redis.copy(`${prefix}client:a`, `${prefix}resource:a`);
    await apply({ resources: [] }, true);
    expect(await keys()).toEqual(['client:a', ...identities(['a'])]);
  });

  test('report what is missing or invalid', async () => {
    await opened.redis.set(`${prefix}resource:a`, JSON.stringify(resource('b')));
    const listed = [];
    for await (const { name, errors } of listResources(opened.store, options)) listed.push({ name, errors });
    const message = 'is "b", which differs from the name in its Redis key';
    expect(listed).toEqual([{ name: 'a', errors: [{ field: 'name', message }] }]);
    expect(await removeRecord(opened.store, resourceKey('c'), defaultPolicy)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/^is not in Redis, and neither is the marker/),
    });
  });
});

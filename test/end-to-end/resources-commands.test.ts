import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const thumbprint = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';
const records = `clients:
  - client_id: billing
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_san_dns: billing.example
    scope: read
    audience: https://orders.example
resources:
  - name: orders
    resource: https://orders.example
    scope: read
    binding: caller
  - name: reports
    resource: https://reports.example
    scope: read write
    access_token_lifetime: 120
    binding: proxy
    proxy_thumbprints: [${thumbprint}]
    forward: none
    signing_alg: ES384
    introspection: [billing, reports-api]
`;

describeWith(['redis-server'], 'countersign clients and resources', () => {
  const prefix = keyPrefix();
  const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
  const run = (args: readonly string[], input = '', more = {}) =>
    runCountersign(args, { env: { ...env, ...more }, input });
  const file = (content: string, name = 'records.yaml') => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(() => redis?.disconnect());

  test('check reports the resources of a file, and how to fix an invalid one', async () => {
    const checked = await run(['clients', 'check', file(records)]);
    expect([checked.code, checked.stdout]).toEqual([
      0,
      expect.stringMatching(/^reports +resource +binding: proxy +read write$/m),
    ]);
    expect(checked.stdout).toContain('1 valid client, 2 valid resources, 1 warning, 0 errors');
    const lines = parse(records).resources.map((record: object) => `${JSON.stringify(record)}\n`);
    const piped = await run(['clients', 'check', '-', '-o', 'json'], lines.join(''));
    expect(JSON.parse(piped.stdout)).toMatchObject({
      files: ['standard input.jsonl'],
      clients: [],
      resources: ['orders', 'reports'],
    });
    const unbound = records.replace('binding: caller', 'binding: none');
    const path = file(unbound, 'unbound.yaml');
    const rejected = await run(['clients', 'check', path, '-o', 'json']);
    const message = 'none requires COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS=true: anyone can use such a token';
    expect([rejected.code, JSON.parse(rejected.stdout)]).toMatchObject([
      1,
      {
        clients: ['billing'],
        resources: ['reports'],
        errors: [{ file: path, resource: 'orders', location: 'record 1', field: 'binding', message }],
      },
    ]);
    const allowed = await run(['clients', 'check', path], '', { COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS: 'true' });
    expect([allowed.code, allowed.stderr]).toEqual([0, '']);
  });

  test('plan and apply cover clients and resources, with one outcome for both', async () => {
    const path = file(records);
    const planned = await run(['clients', 'plan', '-f', path, '--detailed-exitcode']);
    expect([planned.code, planned.stderr]).toEqual([2, '']);
    expect(planned.stdout).toContain(`+ resource orders  (added)
    resource: "https://orders.example"
    scope: "read"
    binding: "caller"
+ resource reports  (added)
`);
    expect(planned.stdout).toContain('3 to add, 0 to change, 0 to remove, 0 unchanged\n');
    const applied = await run(['clients', 'apply', '-f', path, '-o', 'json']);
    expect([applied.code, JSON.parse(applied.stdout)]).toMatchObject([
      0,
      {
        changes: [
          { client_id: 'billing', change: 'added' },
          { name: 'orders', change: 'added' },
          { name: 'reports', change: 'added' },
        ],
        summary: { added: 3 },
        written: 3,
        conflicts: [],
        conflicting_resources: [],
      },
    ]);
    expect((await run(['clients', 'plan', '-f', path, '--detailed-exitcode'])).code).toBe(0);
  });

  test('resources list and show print how the server interprets the records', async () => {
    await redis.set(`${prefix}resource:broken`, '{"name":"broken"}');
    const [table, json, shown, missing, invalid] = await Promise.all([
      run(['resources', 'list']),
      run(['resources', 'list', 'r*', '-o', 'json']),
      run(['resources', 'show', 'orders', '-o', 'yaml']),
      run(['resources', 'show', 'ORDERS']),
      run(['resources', 'show', 'broken']),
    ]);
    expect(table.stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'NAME     BINDING  RESOURCE                 SCOPES',
      'broken   invalid  resource: is missing; scope: is missing; binding: is missin…',
      'orders   caller   https://orders.example   read',
      'reports  proxy    https://reports.example  read write',
      '',
    ]);
    expect(JSON.parse(json.stdout)).toEqual({
      resources: [
        {
          name: 'reports',
          valid: true,
          resource: 'https://reports.example',
          scopes: ['read', 'write'],
          access_token_lifetime: 120,
          binding: 'proxy',
          proxy_thumbprints: [thumbprint],
          forward: 'none',
          signing_alg: 'ES384',
          introspection: ['billing', 'reports-api'],
          errors: [],
        },
      ],
    });
    expect([shown.code, parse(shown.stdout)]).toMatchObject([
      0,
      { name: 'orders', access_token_lifetime: 60, forward: 'minted', record: parse(records).resources[0] },
    ]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('"ORDERS" is not a valid name')]);
    expect([invalid.code, invalid.stdout]).toEqual([
      1,
      expect.stringContaining('invalid: the edge rejects its requests'),
    ]);
    await redis.del(`${prefix}resource:broken`);
  });

  test('export in each format is applied unchanged, also with --prune', async () => {
    const planExport = async (format: string) => {
      const exported = await run(['clients', 'export', '-o', format]);
      expect([exported.code, exported.stderr]).toEqual([0, '']);
      const path = file(exported.stdout, `exported.${format}`);
      const { stdout } = await run(['clients', 'plan', '-f', path, '--prune', '-o', 'json']);
      return JSON.parse(stdout);
    };
    const expected = { changes: [], summary: { unchanged: 3 } };
    expect(await Promise.all(['yaml', 'json', 'jsonl'].map(planExport))).toMatchObject([expected, expected, expected]);
  });

  test('apply --prune of clients alone keeps the resources, and explains why', async () => {
    const [clients = ''] = records.split('resources:');
    const planned = await run(['clients', 'plan', '-f', file(clients, 'clients.yaml'), '--prune']);
    expect(planned.stdout).toContain(
      '2 resources not in the files (kept; the files have no resources, and resources: [] would remove them): orders, reports\n',
    );
    const pruned = await run(['clients', 'apply', '-f', '-', '--prune'], `${clients}resources: []\n`);
    expect([pruned.code, pruned.stdout]).toEqual([0, expect.stringMatching(/^- resource orders {2}\(removed\)$/m)]);
    expect(await redis.keys(`${prefix}resource:*`)).toEqual([]);
  });

  test('resources remove removes those that exist, and names the others', async () => {
    await run(['clients', 'apply', '-f', file(records)]);
    const removed = await run(['resources', 'remove', 'orders', 'unknown', '-o', 'json']);
    expect([removed.code, JSON.parse(removed.stdout)]).toEqual([
      1,
      {
        resources: [
          { name: 'orders', outcome: 'removed' },
          { name: 'unknown', outcome: 'failed', reason: 'is not in Redis' },
        ],
      },
    ]);
    expect(await redis.keys(`${prefix}resource:*`)).toEqual([`${prefix}resource:reports`]);
  });
});

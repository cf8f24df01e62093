import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdministrationError } from '../../src/administration/administration-error.ts';
import { applyPlan } from '../../src/administration/apply-plan.ts';
import { changeRecord, removeRecord } from '../../src/administration/change-record.ts';
import { makePlan } from '../../src/administration/plan.ts';
import { listRecords, listResources } from '../../src/administration/stored-records.ts';
import { clientKey, resourceKey } from '../../src/resources/record-types.ts';
import { administratorAclRule } from '../support/administrator-acl.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { defaultPolicy } from '../support/policy.ts';
import { programPath } from '../support/program-path.ts';
import { type OpenedStore, openStore } from '../support/record-store.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis-server.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const prefix = 'countersign:';
const password = 'least-privilege';

interface Deployment {
  /** By user name. */
  readonly url: (user: string) => string;
  readonly kill?: () => Promise<unknown>;
  readonly stop: () => Promise<unknown>;
}

async function startSingle(): Promise<Deployment> {
  const aclRules = (['administrator', 'auditor'] as const).map((name) =>
    administratorAclRule(name, prefix, { password }),
  );
  const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), aclRules });
  return { url: (user) => `redis://${user}:${password}@127.0.0.1:${server.port}/0`, stop: server.stop };
}

async function startCluster(): Promise<Deployment> {
  const rules = (['administrator', 'auditor'] as const).map((name) =>
    administratorAclRule(name, prefix, { password, isCluster: true }),
  );
  const args = rules.flatMap((rule) => ['--user', ...rule.split(' ')]);
  const { nodes, stop } = await startClusterDeployment({ directory: temporaryDirectory(), args });
  return { url: (user) => `redis+cluster://${user}:${password}@127.0.0.1:${nodes[0]?.port}`, stop };
}

for (const [name, start] of [
  ['Redis', startSingle],
  ['a Redis Cluster', startCluster],
] as const) {
  describeWith(['redis-server'], `${name}, with least-privilege users`, () => {
    const options = { policy: defaultPolicy, now: Date.now(), progress: () => {} };
    // Globs, and hash tags of a cluster.
    const clientIds = Array.from({ length: 300 }, (_, index) => `c{${index % 7}}:*[${index}]?"\\`);
    const records = (scope: string) =>
      clientIds.map((client_id, index) => ({
        client_id,
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: `CN=${index}`,
        scope,
      }));
    let deployment: Deployment;
    let administrator: OpenedStore;
    let auditor: OpenedStore;
    beforeAll(async () => {
      deployment = await start();
      administrator = await openStore(prefix, deployment.url('administrator'));
      auditor = await openStore(prefix, deployment.url('auditor'));
    });
    afterAll(async () => {
      administrator?.close();
      auditor?.close();
      await deployment?.stop();
    });

    const plan = ({ store }: OpenedStore, scope: string, prune = false) => {
      const file = join(temporaryDirectory(), 'clients.json');
      writeFileSync(file, JSON.stringify(records(scope)));
      return makePlan([file], store, { ...options, prune });
    };
    const listed = async ({ store }: OpenedStore, pattern?: string) => {
      const found = [];
      for await (const { clientId, client } of listRecords(store, { ...options, pattern })) {
        found.push(`${clientId} ${client?.enabled} ${client?.scopes}`);
      }
      return found;
    };

    test('the administrator adds, changes, disables and removes', async () => {
      const first = await plan(administrator, 'x');
      expect(first.counts).toMatchObject({ added: 300 });
      expect(await applyPlan(first.changes, administrator.store, () => {})).toEqual({
        written: 300,
        conflicts: [],
        marker: 'written',
      });
      expect((await plan(administrator, 'x')).counts).toMatchObject({
        unchanged: 300,
        added: 0,
        changed: 0,
        reindexed: 0,
      });
      expect(await applyPlan((await plan(administrator, 'y')).changes, administrator.store, () => {})).toMatchObject({
        written: 300,
      });
      const [one = '', other = ''] = clientIds;
      const disabled = await changeRecord(administrator.store, one, (record) => ({ ...record, enabled: false }));
      expect(disabled).toEqual({ outcome: 'written' });
      expect(await removeRecord(administrator.store, clientKey(other), defaultPolicy)).toEqual({ outcome: 'written' });
      expect(await listed(administrator)).toEqual(
        clientIds
          .filter((id) => id !== other)
          .sort()
          .map((id) => `${id} ${id !== one} y`),
      );
      expect(await listed(administrator, 'c{0}:\\*\\[0]*')).toEqual([`${one} false y`]);
    });

    test('the administrator writes and removes resources, which the auditor lists', async () => {
      const file = join(temporaryDirectory(), 'resources.yaml');
      const names = ['orders', 'reports', 'stock'];
      const resource = (name: string) => `{name: ${name}, resource: "urn:${name}", scope: read, binding: caller}`;
      writeFileSync(file, `resources: [${names.map(resource)}]`);
      const { changes } = await makePlan([file], administrator.store, { ...options, prune: true });
      expect(await applyPlan(changes, administrator.store, () => {})).toMatchObject({ written: 3, conflicts: [] });
      const read = async () => {
        const found = [];
        for await (const { resource: parsed } of listResources(auditor.store, options)) found.push(parsed?.audience);
        return found;
      };
      expect(await read()).toEqual(['urn:orders', 'urn:reports', 'urn:stock']);
      for (const name of names) {
        const key = resourceKey(name);
        expect(await removeRecord(administrator.store, key, defaultPolicy)).toEqual({ outcome: 'written' });
      }
      expect(await read()).toEqual([]);
    });

    test('the lock is granted to one administrator at a time, and denied to the auditor', async () => {
      const [one, other] = [administrator.newLock(), administrator.newLock()];
      const waiting: string[] = [];
      await one.acquire((message) => waiting.push(message));
      const acquired = other.acquire((message) => waiting.push(message));
      await eventually(
        () => waiting.length > 0,
        () => 'the second lock does not wait',
      );
      await one.confirmHeld();
      expect(waiting).toEqual([expect.stringMatching(/^another apply is running: process \d+ on /)]);
      await one.release();
      await acquired;
      other.requireHeld();
      await other.release();
      const denied = auditor.newLock().acquire(() => {});
      await expect(denied).rejects.toThrow(
        /returned an error: the ACL of the user in COUNTERSIGN_REDIS_URL lacks \+evalsha \(NOPERM/,
      );
    });

    test('the auditor plans and lists, and cannot apply', async () => {
      expect((await plan(auditor, 'y', true)).counts).toMatchObject({ added: 1, changed: 1, unchanged: 298 });
      expect(await listed(auditor)).toHaveLength(299);
      const failure = applyPlan((await plan(auditor, 'z')).changes, auditor.store, () => {});
      await expect(failure).rejects.toThrow(AdministrationError);
      await expect(failure).rejects.toThrow(
        /returned an error: the ACL of the user in COUNTERSIGN_REDIS_URL lacks \+evalsha \(NOPERM/,
      );
      const rest = 'once that is fixed, running the command again writes the rest';
      await expect(failure).rejects.toThrow(`\n0 of 300 records were written; ${rest}`);
    });
  });
}

test('the documentation contains the ACL rules of these users', () => {
  const text = readFileSync(join(repositoryRoot, 'docs/manage-clients.md'), 'utf8');
  for (const name of ['administrator', 'auditor'] as const) {
    const rule = administratorAclRule(name, prefix, { password: '…' });
    expect(text).toContain(`\nuser ${rule.replace(' +select', '')}\n`);
  }
});

describeWith(['redis-server'], 'Redis before 7', () => {
  test('lacks read-only scripts, and is read with EVAL instead', async () => {
    const args = ['EVAL_RO', 'EVALSHA_RO'].flatMap((command) => ['--rename-command', command, '']);
    const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), args });
    const opened = await openStore(prefix, server.url);
    await opened.redis.set(opened.key('a'), 'x');
    expect(await opened.store.read(['a', 'b'].map(clientKey))).toEqual([
      { type: 'string', text: 'x' },
      { type: 'none' },
    ]);
    expect(await opened.store.findOwners([{ type: 'client', indexKey: 'dns:a' }])).toEqual([[]]);
    opened.close();
    await server.stop();
  });
});

describeWith(['redis-server'], 'Redis that loses its connections during apply', () => {
  test('apply reports how many clients were written, and resumes where it stopped', async () => {
    const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    const opened = await openStore(prefix, server.url);
    const count = 5_000;
    const file = join(temporaryDirectory(), 'clients.jsonl');
    const line = (index: number) =>
      `{"client_id":"c${index}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"c${index}"}\n`;
    writeFileSync(file, Array.from({ length: count }, (_, index) => line(index)).join(''));
    const options = { policy: defaultPolicy, now: Date.now(), progress: () => {}, prune: false };
    const first = await makePlan([file], opened.store, options);
    let killed: Promise<unknown> | undefined;
    const failure = applyPlan(first.changes, opened.store, () => {
      killed ??= opened.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
    const message = await failure.then(
      () => '',
      (error: Error) => error.message,
    );
    await killed;
    const [, written = ''] =
      /did not reply: connection lost\n(\d+) of 5000 records were written; running the command again/.exec(message) ??
      [];
    expect(Number(written)).toBeGreaterThan(0);
    expect(Number(written)).toBeLessThan(count);
    const again = await openStore(prefix, server.url);
    const rest = await makePlan([file], again.store, options);
    // Some writes in flight when the connection broke were applied and not confirmed.
    expect(rest.counts.added).toBeLessThanOrEqual(count - Number(written));
    expect(await applyPlan(rest.changes, again.store, () => {})).toMatchObject({ conflicts: [] });
    expect((await makePlan([file], again.store, options)).counts).toMatchObject({ unchanged: count });
    expect(await again.redis.keys(`${prefix}client:*`)).toHaveLength(count);
    opened.close();
    again.close();
    await server.stop();
  });
});

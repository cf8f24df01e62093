import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const certificate = selfSigned();
const ESC = '\u001b';
const first = `# yaml-language-server: $schema=../docs/clients.schema.json
clients:
  - client_id: orders
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=orders,O=company
    scope: read write
  - client_id: sensor:{7}*[a]
    token_endpoint_auth_method: self_signed_tls_client_auth
    certificates:
      - thumbprint: ${certificate.thumbprint}
        not_after: 2035-01-31
        note: "${'\\e'}[31mred"
`;
const second = first.replace('read write', 'read').replace('sensor:{7}*[a]', 'sensor-8');

describeWith(['redis-server'], 'countersign clients', () => {
  const prefix = keyPrefix();
  const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
  const clients = (args: readonly string[], input = '') => runCountersign(['clients', ...args], { env, input });
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(() => redis?.disconnect());

  test('each change is an audit event with its fields and who made it, and without values', async () => {
    const own = temporaryDirectory();
    const audit = join(own, 'audit.log');
    const audited = (args: readonly string[], auditFile = audit, command = 'clients') =>
      runCountersign([command, ...args], {
        env: { ...env, COUNTERSIGN_REDIS_KEY_PREFIX: `${prefix}audited:`, COUNTERSIGN_AUDIT_FILE: auditFile },
      });
    const record = { client_id: 'audited', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
    const path = join(own, 'audited.json');
    writeFileSync(path, JSON.stringify([{ ...record, certificates: [{ thumbprint: certificate.thumbprint }] }]));
    const refused = await audited(['apply', '-f', path], join(own, 'absent', 'audit.log'));
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/COUNTERSIGN_AUDIT_FILE: cannot write/)]);
    expect((await audited(['show', 'audited'], join(own, 'absent', 'audit.log'))).stderr).toContain('is not in Redis');
    for (const args of [
      ['apply', '-f', path],
      ['disable', 'audited'],
      ['show', 'audited'],
      ['remove', 'audited'],
    ])
      expect((await audited(args)).code, args.join(' ')).toBe(0);
    expect((await audited(['revoke', '--client', 'audited'], audit, 'tokens')).code).toBe(0);
    const text = readFileSync(audit, 'utf8');
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const who = { by: expect.stringMatching(/^.+@.+$/), client_id: 'audited' };
    expect(events).toMatchObject([
      { event: 'client_added', ...who },
      { event: 'client_changed', fields: ['enabled'], ...who },
      { event: 'client_removed', ...who },
      { event: 'tokens_revoked', before: expect.any(String), ...who },
    ]);
    expect(text).not.toContain(certificate.thumbprint);
    expect(statSync(audit).mode & 0o777).toBe(0o640);
    // The next test applies the whole folder.
    rmSync(path);
  });

  test('plan prints what apply then does, and applying again changes nothing', async () => {
    const path = file('first.yaml', first);
    const planned = await clients(['plan', '-f', path]);
    expect([planned.code, planned.stderr]).toEqual([0, '']);
    const detailed = await clients(['plan', '-f', path, '--detailed-exitcode']);
    expect([detailed.code, detailed.stdout, detailed.stderr]).toEqual([2, planned.stdout, '']);
    expect(planned.stdout).toContain(`+ orders  (added)
    token_endpoint_auth_method: "tls_client_auth"
    tls_client_auth_subject_dn: "CN=orders,O=company"
    scope: "read write"
+ sensor:{7}*[a]  (added)
`);
    expect(planned.stdout).toContain('2 to add, 0 to change, 0 to remove, 0 unchanged\n');
    expect(planned.stdout).not.toContain(ESC);
    expect(await redis.exists(`${prefix}registry`)).toBe(0);
    const applied = await clients(['apply', '-f', '-'], first);
    // Only the first time, and where records were lost.
    expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining('apply all files in one run')]);
    expect(applied.stdout).toMatch(/^\+ orders {2}\(added\)[\s\S]*\n2 written\n$/);
    expect(await redis.get(`${prefix}client:orders`)).toBe(
      '{"client_id":"orders","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=orders,O=company","scope":"read write"}',
    );
    const again = await clients(['apply', '-f', folder, '--output', 'json']);
    expect([again.code, JSON.parse(again.stdout)]).toEqual([
      0,
      {
        changes: [],
        summary: { added: 0, changed: 0, removed: 0, reindexed: 0, unchanged: 2 },
        unmanaged: [],
        unmanaged_resources: [],
        reenabled: [],
        kept_disabled: [],
        warnings: [],
        shared: [],
        written: 0,
        conflicts: [],
        conflicting_resources: [],
        marker: 'present',
      },
    ]);
    expect(again.stderr).toBe('');
    expect((await clients(['plan', '-f', path, '--detailed-exitcode'])).code).toBe(0);
  });

  test('plan --detailed-exitcode exits with 1 when a record is invalid', async () => {
    const path = join(temporaryDirectory(), 'invalid.yaml');
    writeFileSync(path, 'clients: [{}]');
    expect((await clients(['plan', '-f', path, '--detailed-exitcode'])).code).toBe(1);
  });

  test('list, show and export print every value in Redis, and escape terminal controls', async () => {
    await redis.set(`${prefix}client:poison`, '{');
    await redis.lpush(`${prefix}client:list`, 'x');
    const out = join(folder, 'exported.json');
    const pem = file('certificate.pem', certificate.pem);
    const [table, json, yaml, shown, ofCertificate, exported, written] = await Promise.all([
      clients(['list', '-o', 'wide']),
      clients(['list', 'sensor:{7}\\**', '--output', 'json']),
      clients(['list', '--invalid', '-o', 'yaml']),
      clients(['show', 'sensor:{7}*[a]']),
      clients(['show', '--certificate', pem, '-o', 'json']),
      clients(['export']),
      clients(['export', '-o', 'json', '--out', out]),
    ]);
    expect(table?.stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'CLIENT_ID       STATE    METHOD                       IDENTITY                                                SCOPES',
      'list            invalid  (record): is a list; expected a string with JSON',
      'orders          enabled  tls_client_auth              subject CN=orders,O=company                             read write',
      'poison          invalid  (record): is not valid JSON',
      `sensor:{7}*[a]  enabled  self_signed_tls_client_auth  thumbprint ${certificate.thumbprint}`,
      '',
    ]);
    expect(JSON.parse(json.stdout)).toEqual({
      clients: [
        {
          client_id: 'sensor:{7}*[a]',
          valid: true,
          enabled: true,
          method: 'self_signed_tls_client_auth',
          identities: [`thumbprint ${certificate.thumbprint}`],
          scopes: [],
          errors: [],
        },
      ],
    });
    expect(parse(yaml.stdout).clients.map(({ client_id }: { client_id: string }) => client_id)).toEqual([
      'list',
      'poison',
    ]);
    const registration = String.raw`(\u{1b}[31mred, until 2035-01-31T23:59:59.999Z)`;
    expect(shown.stdout).toContain(`identity   thumbprint ${certificate.thumbprint} ${registration}`);
    expect(shown.stdout).toContain('note: "\\u001b[31mred"');
    expect(JSON.parse(ofCertificate.stdout).clients).toMatchObject([{ client_id: 'sensor:{7}*[a]', enabled: true }]);
    // Invalid values are not exported.
    expect([exported.code, exported.stderr]).toEqual([
      1,
      expect.stringContaining('client poison is skipped: (record): is not valid JSON'),
    ]);
    expect(parse(exported.stdout)).toEqual({ ...parse(first), resources: [] });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ ...parse(first), resources: [] });
    expect([written.code, written.stdout]).toEqual([1, '']);
    for (const { stdout } of [table, json, yaml, shown, exported]) expect(stdout).not.toContain(ESC);
    await redis.del(`${prefix}client:poison`, `${prefix}client:list`);
  });

  test('export overwrites a file only with --force, and leaves no partial file', async () => {
    const place = temporaryDirectory();
    const out = join(place, 'mine.yaml');
    writeFileSync(out, 'mine');
    chmodSync(out, 0o604);
    const refused = await clients(['export', '--out', out]);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(`${out} already exists; --force overwrites it`);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    symlinkSync(out, join(place, 'link.yaml'));
    expect((await clients(['export', '--out', join(place, 'link.yaml'), '--force'])).code).toBe(0);
    expect(parse(readFileSync(out, 'utf8'))).toEqual({ ...parse(first), resources: [] });
    expect(statSync(out).mode & 0o777).toBe(0o604);
    const failed = await clients(['export', '--out', join(place, 'none/clients.yaml')]);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('none/clients.yaml cannot be written')]);
    symlinkSync('nowhere', join(place, 'dangling.yaml'));
    const dangling = await clients(['export', '--out', join(place, 'dangling.yaml')]);
    expect([dangling.code, dangling.stderr]).toEqual([
      1,
      expect.stringContaining('a link to a file that does not exist'),
    ]);
    expect(readdirSync(place)).toEqual(['dangling.yaml', 'link.yaml', 'mine.yaml']);
    for (const out of ['-', '/dev/stdout']) {
      expect(parse((await clients(['export', '--out', out])).stdout)).toEqual({ ...parse(first), resources: [] });
    }
    const pipe = join(place, 'pipe');
    await runProgram('mkfifo', [pipe]);
    const [read] = await Promise.all([readFile(pipe, 'utf8'), clients(['export', '--out', pipe])]);
    expect(parse(read)).toEqual({ ...parse(first), resources: [] });
  });

  test('show rejects two arguments, and the help of each command names its exit codes and COUNTERSIGN_REDIS_URL', async () => {
    const { code, stderr, stdout } = await clients(['show', 'orders', '--certificate', '/nowhere.pem']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('a client_id and --certificate are mutually exclusive');
    expect((await clients(['show'])).stderr).toContain('expected a client_id or --certificate');
    const names = ['plan', 'apply', 'list', 'show', 'disable', 'enable', 'remove', 'export'];
    for (const help of await Promise.all(names.map((name) => clients([name, '--help'])))) {
      expect([help.code, help.stderr]).toEqual([0, '']);
      for (const part of ['COUNTERSIGN_REDIS_URL', 'Exit codes:\n  0    ', '-o, --output'])
        expect(help.stdout).toContain(part);
      expect(help.stdout).not.toMatch(/^.{81}/m);
    }
  });

  test('disable and enable print each outcome, and plan warns about re-enabled clients', async () => {
    const disabled = await clients(['disable', 'orders', 'nobody']);
    expect([disabled.code, disabled.stdout]).toEqual([1, 'client orders is now disabled\n']);
    expect(disabled.stderr).toContain('client nobody is not in Redis');
    const malformed = await clients(['enable', 'orders', 'a\nb', 'é']);
    expect([malformed.code, malformed.stdout]).toEqual([2, '']);
    for (const id of ['a\\u{a}b', 'é'])
      expect(malformed.stderr).toContain(
        `"${id}" is not a valid client_id: expected 1 to 255 printable ASCII characters`,
      );
    const [again, listed, planned] = await Promise.all([
      clients(['disable', 'orders']),
      clients(['list', '--disabled', '-o', 'json']),
      clients(['plan', '-f', file('first.yaml', first)]),
    ]);
    expect([again?.code, again?.stdout]).toEqual([0, 'client orders was already disabled\n']);
    expect(JSON.parse(listed.stdout).clients).toMatchObject([{ client_id: 'orders', enabled: false }]);
    expect(planned.stdout).toContain('    enabled: false → nothing\n');
    expect(planned.stdout).toMatch(/warning disabled in Redis and enabled by the files.*: orders\n/);
    const enabled = await clients(['enable', 'orders']);
    expect([enabled.code, enabled.stdout]).toEqual([0, 'client orders is now enabled\n']);
    // As when a shell expands the files of a folder.
    const files = [file('first.yaml', first), file('empty.yaml', 'clients: []')];
    expect((await clients(['plan', '-f', ...files, '--detailed-exitcode'])).code).toBe(0);
  });

  test('disable, enable and remove print machine-readable outcomes', async () => {
    await redis.set(
      `${prefix}client:x`,
      '{"client_id":"x","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"x"}',
    );
    const outcomes = async (...args: string[]) => {
      const { code, stdout, stderr } = await clients([...args, '--output', 'json']);
      expect(stderr).toBe('');
      return [code, JSON.parse(stdout).clients];
    };
    const missing = { client_id: 'no', outcome: 'failed', reason: 'is not in Redis' };
    expect(await outcomes('disable', 'x', 'no')).toEqual([1, [{ client_id: 'x', outcome: 'disabled' }, missing]]);
    expect(await outcomes('disable', 'x', 'x')).toEqual([0, [{ client_id: 'x', outcome: 'unchanged' }]]);
    expect(await outcomes('enable', 'x')).toEqual([0, [{ client_id: 'x', outcome: 'enabled' }]]);
    expect(await outcomes('remove', 'x')).toEqual([0, [{ client_id: 'x', outcome: 'removed' }]]);
    const gone = { client_id: 'x', outcome: 'failed', reason: 'is not in Redis' };
    expect(await outcomes('remove', 'x')).toEqual([1, [gone]]);
    expect(parse((await clients(['enable', 'x', '-o', 'yaml'])).stdout)).toEqual({ clients: [gone] });
  });

  test('show, enable and disable reject a record that the server rejects, and do not change it', async () => {
    const start = '{"client_id":"odd","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"odd"';
    const values = [
      [Buffer.from(`${start},"client_name":"\u00e4"}`, 'latin1'), '(record): is not valid UTF-8'],
      [`${start},"claims":{"x":1e400}}`, '(record): contains claims.x, which is a number that JSON cannot represent'],
      [`${start},"enabled":"no"}`, 'enabled: must be true or false, not a string'],
    ] as const;
    for (const [value, message] of values) {
      await redis.set(`${prefix}client:odd`, value);
      const stored = await redis.getBuffer(`${prefix}client:odd`);
      const [shown, ...changed] = await Promise.all([
        clients(['show', 'odd']),
        clients(['enable', 'odd']),
        clients(['disable', 'odd']),
      ]);
      expect(shown.stdout).toContain(`error ${message}\n`);
      for (const { code, stderr } of changed) expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
      expect(await redis.getBuffer(`${prefix}client:odd`)).toEqual(stored);
    }
    const exported = await clients(['export']);
    expect([exported.code, exported.stderr]).toEqual([
      0,
      'countersign: client odd is exported, but the server and apply reject it: enabled: must be true or false, not a string\n',
    ]);
    // The replacement character is valid UTF-8 like any other.
    await redis.set(`${prefix}client:odd`, `${start},"client_name":"\ufffd"}`);
    expect((await clients(['disable', 'odd'])).stdout).toBe('client odd is now disabled\n');
    await redis.del(`${prefix}client:odd`);
  });

  test('apply keeps unmanaged clients without --prune, and rejects a shared certificate if it must be unique', async () => {
    const path = file('second.yaml', second);
    const settings = file('unique.env', 'COUNTERSIGN_UNIQUE_CERTIFICATES=true\n');
    const rejected = await clients(['apply', '-f', path, '--settings', settings]);
    expect([rejected.code, rejected.stdout]).toEqual([1, '']);
    expect(rejected.stderr).toMatch(
      /thumbprint \S+ is shared by 2 clients: sensor-8 \(\S+, sensor:\{7}\*\[a] \(in Redis\)/,
    );
    expect(rejected.stderr).toContain('Nothing was written.');
    const refused = await clients(['plan', '-f', path, '--settings', settings]);
    expect(refused.stderr).toBe(rejected.stderr.replace(/.*Nothing was written\.\n$/, ''));
    const planned = await clients(['plan', '-f', path]);
    expect([planned.code, planned.stdout]).toEqual([
      0,
      expect.stringMatching(/^warning thumbprint \S+ is shared by 2/m),
    ]);
    const pruned = await clients(['plan', '-f', path, '--prune', '--detailed-exitcode', '-o', 'yaml']);
    expect([pruned.code, parse(pruned.stdout)]).toMatchObject([
      2,
      {
        changes: [
          { client_id: 'orders', change: 'changed', fields: [{ field: 'scope', before: 'read write', after: 'read' }] },
          { client_id: 'sensor-8', change: 'added' },
          { client_id: 'sensor:{7}*[a]', change: 'removed', fields: [] },
        ],
        summary: { added: 1, changed: 1, removed: 1 },
      },
    ]);
    const kept = await clients(['plan', '-f', file('none.yaml', 'clients: []'), '--detailed-exitcode']);
    expect([kept.code, kept.stdout]).toEqual([
      0,
      expect.stringContaining('2 clients not in the files (kept; --prune removes them): '),
    ]);
    const removed = await clients(['remove', 'sensor:{7}*[a]', 'nobody']);
    expect([removed.code, removed.stdout]).toEqual([1, 'client sensor:{7}*[a] was removed\n']);
    expect(await redis.keys(`${prefix.replace(/[*?[\]]/g, '\\$&')}identity:thumbprint:*`)).toEqual([]);
  });

  test('apply writes a record of megabytes, and prints a part of it', async () => {
    const claims = { large: 'ä'.repeat(4_000_000) };
    const record = {
      client_id: 'large',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'l',
      claims,
    };
    const applied = await clients(['apply', '-f', '-'], JSON.stringify(record));
    expect([applied.code, applied.stdout.length < 2_000]).toEqual([0, true]);
    expect(JSON.parse((await redis.get(`${prefix}client:large`)) ?? '')).toEqual(record);
  });
});

test('check escapes terminal controls of a file and of its name', async () => {
  const path = file(`${ESC}[31m.json`, `[{"client_id":${ESC}]0;pwned\u0007}]`);
  const { code, stdout, stderr } = await runCountersign(['clients', 'check', path]);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toContain('\\u{1b}[31m.json:1:15: invalid JSON');
  expect(stdout.split(ESC)).toEqual([stdout]);
});

test('commands on clients report which setting is missing or which Redis is unreachable', async () => {
  const [unset, withFile, away] = await Promise.all([
    runCountersign(['clients', 'list']),
    runCountersign(['clients', 'list'], { env: { COUNTERSIGN_CLIENTS_FILE: '/etc/clients.yaml' } }),
    runCountersign(['clients', 'plan', '-f', '/nowhere.yaml'], {
      env: { COUNTERSIGN_REDIS_URL: `redis://user:secret@127.0.0.1:${await freePort()}` },
    }),
  ]);
  expect([unset?.code, unset?.stderr]).toEqual([
    2,
    expect.stringContaining('COUNTERSIGN_REDIS_URL_FILE (or COUNTERSIGN_REDIS_URL): is missing'),
  ]);
  expect(withFile?.stderr).toContain('COUNTERSIGN_CLIENTS_FILE is set: edit /etc/clients.yaml instead');
  expect([away?.code, away?.stderr]).toEqual([
    1,
    expect.stringMatching(/cannot reach Redis at redis:.*: connect ECONNREFUSED/),
  ]);
  expect(away?.stderr).not.toContain('secret');
});

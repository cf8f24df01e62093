import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('countersign clients check', () => {
  const client = (id: string) =>
    `- {client_id: ${id}, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_dns: ${id}}`;
  const directory = temporaryDirectory();
  const folder = join(directory, 'clients.d');
  const [one, two, third] = [join(folder, 'one.yaml'), join(folder, 'two.yaml'), join(directory, 'third.yaml')];
  mkdirSync(folder);
  writeFileSync(one, client('one'));
  writeFileSync(two, client('two'));
  writeFileSync(third, `${client('two')}\n- {client_id: three}`);
  const input = '{"client_id":"in","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"in"}\n';
  const check = async (...paths: string[]) => {
    const env = { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header' };
    const { code, stdout } = await runCountersign(['clients', 'check', ...paths, '-o', 'json'], { input, env });
    return [code, JSON.parse(stdout)];
  };

  test('documents its exit codes in its help', async () => {
    const { stdout } = await runCountersign(['clients', 'check', '--help']);
    expect(stdout).toMatch(/^Exit codes:\n {2}0 {4}every record is valid\n {2}1 {4}a record is invalid/m);
  });

  test('checks the files of a folder', async () => {
    const report = {
      file: folder,
      files: [one, two],
      ok: true,
      clients: ['one', 'two'],
      resources: [],
      errors: [],
      warnings: [],
      shared: [],
    };
    expect(await check(folder)).toEqual([0, report]);
  });

  test('warns about what a folder contains and does not stand for', async () => {
    const path = join(directory, 'ignored.d');
    mkdirSync(join(path, 'team'), { recursive: true });
    writeFileSync(join(path, 'team', 'one.yaml'), client('one'));
    for (const name of ['billing', '.two.yaml']) writeFileSync(join(path, name), client('two'));
    const [code, report] = await check(path);
    expect([code, report.clients]).toEqual([0, ['one']]);
    const message = expect.stringMatching(/^does not stand for \.two\.yaml, billing: name files with \.yaml/);
    expect(report.warnings).toEqual([{ file: path, message }]);
  });

  test('checks standard input', async () => {
    const report = {
      file: '-',
      files: ['standard input.jsonl'],
      ok: true,
      clients: ['in'],
      resources: [],
      errors: [],
      warnings: [],
      shared: [],
    };
    expect(await check('-')).toEqual([0, report]);
  });

  test('warns about patterns of SPIFFE IDs that overlap', async () => {
    const path = join(directory, 'overlapping.yaml');
    const pin = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';
    const record = (id: string, pattern: string) =>
      `- {client_id: ${id}, token_endpoint_auth_method: tls_client_auth, tls_client_auth_spiffe_id: "${pattern}", tls_client_auth_ca: [${pin}]}`;
    writeFileSync(path, [record('one', 'spiffe://td/ns/*/sa/a'), record('two', 'spiffe://td/ns/b/sa/*')].join('\n'));
    const [code, report] = await check(path);
    const shared = [{ identity: 'SPIFFE ID spiffe://td/ns/b/sa/a', clients: ['one', 'two'] }];
    expect([code, report.clients, report.errors, report.shared]).toEqual([0, ['one', 'two'], [], shared]);
  });

  test('reports a client_id that is in two of its paths', async () => {
    const location = 'record 1';
    const message = `is already defined in ${two}:1; a client has one record`;
    const errors = [
      { file: third, line: 1, column: 4, client: 'two', location, field: 'client_id', message },
      {
        file: third,
        client: 'three',
        location: 'record 2',
        message: expect.stringContaining('is missing'),
      },
    ];
    const [code, report] = await check(folder, '-', third);
    expect([code, Object.keys(report)]).toEqual([
      1,
      ['files', 'ok', 'clients', 'resources', 'errors', 'warnings', 'shared'],
    ]);
    expect(report).toMatchObject({ ok: false, clients: ['one', 'two', 'in'], errors });
  });

  test('reports a missing file in its document, and checks the others', async () => {
    const errors = [{ file: '/nowhere.yaml', message: 'no such file or directory' }];
    expect(await check('/nowhere.yaml', one)).toEqual([
      1,
      { files: [one], ok: false, clients: ['one'], resources: [], errors, warnings: [], shared: [] },
    ]);
    expect(await check('/nowhere.yaml')).toEqual([
      1,
      { file: '/nowhere.yaml', files: [], ok: false, clients: [], resources: [], errors, warnings: [], shared: [] },
    ]);
  });

  test('warns about a shared name that is pinned to a CA of which another client has certificates', async () => {
    const file = join(directory, 'pins.yaml');
    const [own, spire] = ['A', 'B'].map((letter) => letter.repeat(43).replace(/.$/, 'A'));
    const pinned = (id: string, name: string, pin = '') =>
      `- {client_id: ${id}, token_endpoint_auth_method: tls_client_auth, ${name}, tls_client_auth_ca: [${pin}]}\n`;
    const records = [
      pinned('group', 'tls_client_auth_subject_dn: "O=SPIRE,C=US"', spire),
      pinned('workload', 'tls_client_auth_san_uri: spiffe://td/a', spire),
      pinned('alone', 'tls_client_auth_subject_dn: "O=Acme"', own),
    ];
    writeFileSync(file, records.join(''));
    const message = expect.stringMatching(`^${spire} is not a CA of its own: client workload is pinned to it as well`);
    const [code, { warnings }] = await check(file);
    expect([code, warnings]).toEqual([
      0,
      [{ file, line: 1, column: 3, location: 'record 1', client: 'group', field: 'tls_client_auth_ca', message }],
    ]);
  });

  test('checks the other files if one of them is invalid', async () => {
    const broken = join(directory, 'broken.json');
    writeFileSync(broken, '[');
    const errors = [{ file: broken, line: 1, column: 2, message: expect.stringMatching(/^invalid JSON/) }];
    expect(await check(broken, one)).toEqual([
      1,
      { files: [broken, one], ok: false, clients: ['one'], resources: [], errors, warnings: [], shared: [] },
    ]);
  });
});

describe('countersign clients check without a setting for chain verification', () => {
  const client = (id: string) =>
    `- {client_id: ${id}, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_dns: ${id}}\n`;
  const pinned = selfSigned();
  const other = `- {client_id: z, token_endpoint_auth_method: self_signed_tls_client_auth, certificates: [{thumbprint: ${pinned.thumbprint}}]}\n`;
  const folder = temporaryDirectory();
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const three = file('three.yaml', other + client('a') + client('b') + client('c'));
  const check = (path: string, env = {}, ...more: string[]) =>
    runCountersign(['clients', 'check', path, ...more], { env });
  const warningText =
    'is tls_client_auth, and COUNTERSIGN_CLIENT_CA_FILE is not set here: a server without it cannot verify the chain, and either rejects';

  test('prints one warning with the first client and the number of others', async () => {
    const { code, stdout } = await check(three);
    const warning = `${three}:2:3: client "a": token_endpoint_auth_method: ${warningText}`;
    expect(stdout).toContain(`warning ${warning} this and 2 more clients or does not start\n`);
    expect([code, stdout]).toEqual([0, expect.stringContaining('4 valid clients, 1 warning, 0 errors')]);
  });

  test('includes the warning in JSON', async () => {
    const { stdout } = await check(file('one.yaml', client('a')), {}, '-o', 'json');
    const where = { file: join(folder, 'one.yaml'), client: 'a', location: 'record 1' };
    const message = `${warningText} this client or does not start`;
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      warnings: [{ ...where, field: 'token_endpoint_auth_method', message }],
    });
  });

  test('prints no warning if a setting is present or no client requires a chain', async () => {
    const ca = file('ca.pem', createTestCa().pem);
    for (const { stdout } of [
      await check(three, { COUNTERSIGN_CLIENT_CA_FILE: ca }),
      await check(three, { COUNTERSIGN_CHAIN_VERIFIED_BY: 'terminator' }),
      await check(file('none.yaml', other)),
    ]) {
      expect(stdout).toContain(', 0 warnings, 0 errors');
    }
  });
});

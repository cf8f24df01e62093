import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('countersign clients check reads several paths as if they were one file', () => {
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
    const { code, stdout } = await runCountersign(['clients', 'check', ...paths, '-o', 'json'], { input });
    return [code, JSON.parse(stdout)];
  };

  test('and says in its help what its exit codes mean', async () => {
    const { stdout } = await runCountersign(['clients', 'check', '--help']);
    expect(stdout).toContain('Exit codes: 0 all of them are sound, 1 a fault.');
  });

  test('a folder', async () => {
    const report = {
      file: folder,
      files: [one, two],
      ok: true,
      clients: ['one', 'two'],
      faults: [],
      warnings: [],
      conflicts: [],
    };
    expect(await check(folder)).toEqual([0, report]);
  });

  test('standard input', async () => {
    const report = {
      file: '-',
      files: ['standard input.jsonl'],
      ok: true,
      clients: ['in'],
      faults: [],
      warnings: [],
      conflicts: [],
    };
    expect(await check('-')).toEqual([0, report]);
  });

  test('one client_id in two of them', async () => {
    const place = 'number 1 in the list';
    const message = `is taken by ${two}, ${place}; a client has one record`;
    const faults = [
      { file: third, client: 'two', place, field: 'client_id', message },
      { file: third, client: 'three', place: 'number 2 in the list', message: expect.stringContaining('is missing') },
    ];
    const [code, report] = await check(folder, '-', third);
    expect([code, Object.keys(report)]).toEqual([1, ['files', 'ok', 'clients', 'faults', 'warnings', 'conflicts']]);
    expect(report).toMatchObject({ ok: false, clients: ['one', 'two', 'in'], faults });
  });

  test('one of them that is broken keeps none of the others from being checked', async () => {
    const broken = join(directory, 'broken.json');
    writeFileSync(broken, '[');
    const faults = [{ file: broken, message: expect.stringMatching(/^line 1: not JSON/) }];
    expect(await check(broken, one)).toEqual([
      1,
      { files: [broken, one], ok: false, clients: ['one'], faults, warnings: [], conflicts: [] },
    ]);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchClientsFile } from '../../../src/clients/files/watch-clients-file.ts';
import { eventually } from '../../support/eventually.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { type Files, folderWith, mountSecret } from '../../support/signing-key-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const client = (clientId: string, more: object = {}) => ({
  client_id: clientId,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: `CN=${clientId}`,
  ...more,
});
const listOf = (...clients: object[]) => JSON.stringify(clients);
const linesOf = (...clients: object[]) => clients.map((record) => `${JSON.stringify(record)}\n`).join('');

interface Line {
  readonly event: string;
  readonly reason?: string;
  readonly file?: string;
}

const requirements = {
  policy: defaultPolicy,
  terminator: { verification: { by: 'countersign', fields: [] } },
} as const;

async function watchFolder(folder: string, setting?: string) {
  const lines: Line[] = [];
  const append = (fields: object): void => void lines.push(fields as Line);
  const log = { info: append, warn: append, error: append };
  const configured = { file: folder, setting };
  const watching = await watchClientsFile(configured, requirements, log, { intervalMilliseconds: 20 });
  onTestFinished(watching.stop);
  const afterwards = async (change: () => void): Promise<Line | undefined> => {
    const seen = lines.length;
    change();
    await eventually(
      () => lines.length > seen,
      () => 'no reload',
    );
    return lines.at(-1);
  };
  return {
    ids: () => [...watching.current().clients.keys()],
    digest: () => watching.watched.digest,
    lines,
    afterwards,
  };
}

describe('watchClientsFile of a folder', () => {
  test('loads its files, and reloads them when one changes, appears or disappears', async () => {
    const folder = folderWith({ 'a.yaml': listOf(client('a')), 'b.jsonl': linesOf(client('b')) });
    const { ids, afterwards } = await watchFolder(folder);
    expect(ids()).toEqual(['a', 'b']);
    const changes: readonly [() => void, object, readonly string[]][] = [
      [
        () => writeFileSync(join(folder, 'a.yaml'), listOf(client('a', { scope: 'read' }), client('a2'))),
        { added: 1, changed: 1, removed: 0 },
        ['a', 'a2', 'b'],
      ],
      [
        () => writeFileSync(join(folder, 'c.json'), listOf(client('c'))),
        { added: 1, changed: 0, removed: 0 },
        ['a', 'a2', 'b', 'c'],
      ],
      [() => rmSync(join(folder, 'a.yaml')), { added: 0, changed: 0, removed: 2 }, ['b', 'c']],
    ];
    for (const [change, counts, expected] of changes) {
      expect(await afterwards(change)).toMatchObject({ event: 'clients_reloaded', ...counts });
      expect(ids()).toEqual(expected);
    }
  });

  test('reloads all files of a mounted ConfigMap at once', async () => {
    const volume = mountSecret({ 'a.yaml': listOf(client('moved')), 'b.yaml': listOf(client('b')) });
    const { ids, lines, afterwards } = await watchFolder(volume.folder);
    // Between any two of the files, the client would be defined twice or not at all.
    const next = { 'b.yaml': listOf(client('b')), 'c.yaml': listOf(client('moved'), client('c')) };
    const counts = { clients: 3, added: 1, changed: 0, removed: 0 };
    expect(await afterwards(() => volume.swap(next))).toMatchObject({ event: 'clients_reloaded', ...counts });
    expect([ids(), lines.length]).toEqual([['b', 'moved', 'c'], 1]);
  });

  test.each<[string, Files, RegExp]>([
    ['is invalid', { 'b.yaml': listOf(client('b', { scopes: 'read' })) }, /b\.yaml:\d+:\d+: client "b": unknown field/],
    ['cannot be parsed', { 'b.json': '[' }, /b\.json:1:2: invalid JSON/],
    ['is empty', { 'b.yaml': '' }, /b\.yaml: is empty; expected a list/],
    [
      'defines a client of another file',
      { 'b.yaml': `\n- ${JSON.stringify(client('a'))}` },
      /b\.yaml:2:\d+: client "a": client_id: is already defined in \S+a\.yaml:1; a client has one record$/,
    ],
  ])('keeps all previous clients while one of its files %s', async (_, added, reason) => {
    const good = { 'a.yaml': listOf(client('a'), client('a2')) };
    const volume = mountSecret({ 'a.yaml': listOf(client('a')) });
    const { ids, afterwards } = await watchFolder(volume.folder);
    const failed = await afterwards(() => volume.swap({ ...good, ...added }));
    expect(failed).toEqual({ event: 'clients_reload_failed', reason: expect.stringMatching(reason) });
    expect(ids()).toEqual(['a']);
    expect(await afterwards(() => volume.swap(good))).toMatchObject({ event: 'clients_reloaded' });
    expect(ids()).toEqual(['a', 'a2']);
  });

  test.each<[string, (folder: string) => void, RegExp]>([
    ['is empty', (folder) => rmSync(join(folder, 'a.yaml')), /: the folder contains no \.yaml, \.yml, \.json/],
    [
      'contains a pipe',
      (folder) => execFileSync('mkfifo', [join(folder, 'b.yaml')]),
      /: b\.yaml in it is not a regular file$/,
    ],
    [
      'contains a link to a missing file',
      (folder) => symlinkSync('missing', join(folder, 'b.yaml')),
      /\/b\.yaml: it is a link to missing, which does not exist$/,
    ],
    [
      'contains a link to itself',
      (folder) => symlinkSync('b.yaml', join(folder, 'b.yaml')),
      /^\S+\/b\.yaml: too many symbolic links encountered$/,
    ],
    ['is gone', (folder) => rmSync(folder, { recursive: true }), /: no such file or directory$/],
  ])('keeps all previous clients while it %s', async (_, change, reason) => {
    const folder = folderWith({ 'a.yaml': listOf(client('a')) });
    const { ids, afterwards } = await watchFolder(folder);
    const failed = await afterwards(() => change(folder));
    expect(failed).toEqual({ event: 'clients_reload_failed', reason: expect.stringMatching(reason) });
    expect(ids()).toEqual(['a']);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const restored = await afterwards(() => writeFileSync(join(folder, 'c.yaml'), listOf(client('c'))));
    expect(restored).toMatchObject({ event: 'clients_reloaded' });
    expect(ids()).toEqual(['c']);
  });

  test('names the setting at startup in errors of the folder and of a file, but not of a record', async () => {
    const name = 'COUNTERSIGN_CLIENTS_FILE';
    await expect(watchFolder(temporaryDirectory(), name)).rejects.toThrow(/^COUNTERSIGN_CLIENTS_FILE: \S+: the folder/);
    const invalid = folderWith({ 'a.yaml': '7', 'b.yaml': listOf(client('b', { scopes: '' })) });
    await expect(watchFolder(invalid, name)).rejects.toMatchObject({
      problems: [
        expect.stringMatching(/^COUNTERSIGN_CLIENTS_FILE: \S+a\.yaml: expected a list/),
        expect.stringMatching(/^\S+b\.yaml:1:\d+: client "b": unknown field/),
      ],
    });
  });

  test('warns about what it does not read', async () => {
    const folder = folderWith({ 'a.yaml': listOf(client('a')), billing: listOf(client('b')), '.hidden': '' });
    const { lines } = await watchFolder(folder);
    expect(lines).toEqual([{ event: 'client_warning', file: folder }]);
  });

  test('reloads equal names in the folders of two mounted ConfigMaps', async () => {
    const folder = temporaryDirectory();
    const mount = (name: string, text: string) => {
      const volume = mountSecret({ 'clients.json': text });
      symlinkSync(volume.folder, join(folder, name));
      return volume;
    };
    mount('billing', listOf(client('billing')));
    const orders = mount('orders', listOf(client('orders')));
    const { ids, lines, afterwards } = await watchFolder(folder);
    expect(ids()).toEqual(['billing', 'orders']);
    const counts = { clients: 3, added: 1, changed: 0, removed: 0 };
    const next = { 'clients.json': listOf(client('orders'), client('reports')) };
    expect(await afterwards(() => orders.swap(next))).toMatchObject({ event: 'clients_reloaded', ...counts });
    expect([ids(), lines.length]).toEqual([['billing', 'orders', 'reports'], 1]);
    const failed = await afterwards(() => orders.swap({ other: '' }));
    expect(failed).toMatchObject({
      event: 'clients_reload_failed',
      reason: expect.stringContaining('/orders: the folder'),
    });
    expect(ids()).toEqual(['billing', 'orders', 'reports']);
  });

  test('has the digest that sha256sum prints, whatever its path', async () => {
    const files = { 'a.yaml': listOf(client('a')), 'b.yaml': listOf(client('b')) };
    const [one, other] = [folderWith(files), mountSecret(files).folder];
    for (const folder of [one, other]) {
      mkdirSync(join(folder, 'team'));
      writeFileSync(join(folder, 'team', 'a.yaml'), listOf(client('c')));
    }
    const command = 'sha256sum *.yaml */*.yaml | sha256sum';
    const printed = execFileSync('sh', ['-c', command], { cwd: one }).toString().slice(0, 64);
    const digests = [await watchFolder(one), await watchFolder(other)].map(({ digest }) => digest());
    expect(digests).toEqual([printed, printed]);
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCountersign } from '../support/countersign.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const files = join(repositoryRoot, 'test/administration/import/files');
const folder = temporaryDirectory();
// A time without an offset is UTC, wherever this runs.
const env = { COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'true', TZ: 'America/New_York' };
const run = (...args: string[]) => runCountersign(['clients', ...args], { env });
const page = 'docs/move-from-identityserver.md';
const runDocumented = (command: string) => run(...command.trim().split(' ').slice(2));
const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const client = {
  ClientId: 'a',
  AllowedGrantTypes: ['client_credentials'],
  AllowedScopes: ['api'],
  ClientSecrets: [{ Type: 'X509Name', Value: 'CN=a' }],
};
const configurationOf = (only: object) =>
  JSON.stringify({ Clients: [only], ApiResources: [{ Name: 'https://api.example', Scopes: ['api'] }] });

describe('countersign clients import', () => {
  test.each([
    [
      'identityserver',
      'appsettings.json.txt',
      '5 clients: 1 the same as before, 2 with a difference, 2 left out\n',
      'expiration: "2036-01-31T12:30:00Z"',
    ],
    [
      'keycloak',
      'realm.json',
      '4 clients: 0 the same as before, 2 with a difference, 2 left out\n',
      'client_id: billing',
    ],
  ])('%s writes records that pass "clients check"', async (source, name, summary, line) => {
    const out = join(folder, `${source}.yaml`);
    const { code, stdout, stderr } = await run('import', source, join(files, name), '--out', out);
    expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining(summary)]);
    expect(readFileSync(out, 'utf8')).toContain(`# From ${name}, by \`countersign clients import ${source}\`.\n`);
    expect(readFileSync(out, 'utf8')).toContain(line);
    const checked = await run('check', out, '--output', 'json');
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, errors: [] });
  });

  test('reads standard input, writes standard output, and exits with 0 if nothing is lost', async () => {
    const args = ['clients', 'import', 'identityserver', '-'];
    const { code, stdout, stderr } = await runCountersign(args, { env, input: configurationOf(client) });
    expect(stdout).toContain('# From standard input, by');
    expect([code, stderr]).toEqual([0, '1 client: 1 the same as before, 0 with a difference, 0 left out\n']);
    expect(parse(stdout)).toMatchObject({ clients: [{ client_id: 'a' }] });
  });

  test('counts no client as the same if something changes for every client', async () => {
    const input = JSON.stringify({ ...JSON.parse(configurationOf(client)), AccessTokenJwtType: 'JWT' });
    const { code, stderr } = await runCountersign(['clients', 'import', 'identityserver', '-'], { env, input });
    expect([code, stderr]).toEqual([3, expect.stringContaining('1 client: 0 the same as before, 1 with a difference')]);
  });

  test('writes a file that passes "clients check" if every client is skipped', async () => {
    const out = join(folder, 'empty.yaml');
    const { code } = await run(
      'import',
      'keycloak',
      file('none.json', '{"clients": [{"clientId": "web"}]}'),
      '--out',
      out,
    );
    expect(code).toBe(3);
    expect((await run('check', out)).code).toBe(0);
  });

  test('reads a SQLite database of IdentityServer from its file', async () => {
    const path = join(repositoryRoot, 'test/cases/identityserver-configuration/configuration.db');
    const { code, stdout, stderr } = await run('import', 'identityserver', path);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^51 clients: /)]);
    expect(stdout).toContain('- client_id: mtls.client\n');
    const args = ['clients', 'import', 'identityserver', '-'];
    const piped = await runCountersign(args, { env, input: readFileSync(path) });
    expect([piped.code, piped.stderr]).toEqual([
      1,
      'countersign: standard input: is a SQLite database, which is not read from a pipe: name its file\n',
    ]);
  });

  test('merges files in their order, and names each', async () => {
    const first = file('appsettings.json', configurationOf({ ...client, AccessTokenLifetime: 600 }));
    const later = file('appsettings.Production.json', '{"clients:0:AccessTokenLifetime": 60 /* later */}');
    const command = documentedBlock(page, 'sh', 'appsettings.Production.json', {
      'appsettings.json appsettings.Production.json': `${first} ${later}`,
      'clients.yaml': '-',
    });
    const { code, stdout, stderr } = await runDocumented(command);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^1 client: 1 the same as before/)]);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      '# From appsettings.json, appsettings.Production.json, by `countersign clients import identityserver`.',
      `# ${later} replaces 1 value of the files before it, as in .NET: clients:0:AccessTokenLifetime`,
    ]);
    expect(parse(stdout)).toMatchObject({ clients: [{ access_token_lifetime: 60 }] });
    const invalid = await run('import', 'identityserver', first, file('invalid.json', '{'));
    expect([invalid.code, invalid.stderr]).toEqual([1, expect.stringContaining('invalid.json: line 1, ')]);
  });

  test('adds the options of a file to the clients of a database', async () => {
    const database = join(repositoryRoot, 'test/cases/identityserver-configuration/configuration.db');
    const options = file('options.json', documentedBlock(page, 'json', 'EmitStaticAudienceClaim'));
    const command = documentedBlock(page, 'sh', 'options.json', {
      'clients.json options.json': `${database} ${options}`,
      'clients.yaml': '-',
    });
    const { stdout } = await runDocumented(command);
    const { clients } = parse(stdout);
    const audiences = clients.find(({ client_id }: { client_id: string }) => client_id === 'mtls.client').audience;
    expect(audiences).toEqual({ api1: ['https://api.example', 'https://identity.example/resources'] });
  });

  test.each([
    ['postgresql', 'SELECT '],
    ['sqlserver', 'SELECT '],
    ['mysql', '/*M! SET STATEMENT '],
    ['sqlite', 'SELECT '],
  ])('prints a query for %s, and nothing else', async (database, start) => {
    const { code, stdout, stderr } = await run('import', 'identityserver', '--query', database);
    expect([code, stderr, stdout.startsWith(start), stdout.endsWith(';\n')]).toEqual([0, '', true, true]);
    expect(stdout).not.toMatch(/\b(?:INSERT|UPDATE|DELETE|INTO)\b/);
  });

  test.each([[[]], [['clients.json', '--query', 'mysql']], [['--schema', 'ids', 'clients.json']]])(
    'rejects the arguments %s of "identityserver"',
    async (args) => {
      const { code, stdout, stderr } = await run('import', 'identityserver', ...args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^error: (?:expected either files, such as appsettings\.json, or --query|--schema requires)/,
      );
    },
  );

  test('overwrites a file only with --force', async () => {
    const source = file('again.json', configurationOf(client));
    const out = file('mine.yaml', 'mine');
    const refused = await run('import', 'identityserver', source, '--out', out);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(`${out} already exists; --force overwrites it`);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await run('import', 'identityserver', source, '--out', out, '--force')).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('client_id: a');
  });

  test.each<[string, string, string | Buffer | undefined, string]>([
    ['a missing file', 'keycloak', undefined, 'no such file or directory'],
    ['a file that is not JSON', 'keycloak', 'clients: []', 'invalid JSON'],
    ['a file without clients', 'identityserver', '{"realm": "r"}', 'no Clients found'],
    [
      "another server's file",
      'identityserver',
      JSON.stringify({ clients: [{ clientId: 'a', clientAuthenticatorType: 'x' }] }),
      'import keycloak',
    ],
    ['C#', 'identityserver', 'using System;\nclass C {}', '\n    Clients = Config.Clients,\n}));\ncountersign: '],
    ['a SQLite database', 'keycloak', 'SQLite format 3\0', 'is a SQLite database, expected JSON'],
    ['a file that is not UTF-8', 'keycloak', Buffer.from('\uFEFF{"clients": []}', 'utf16le'), 'is UTF-16LE text'],
    ['a file that is nested too deeply', 'identityserver', '['.repeat(100_000), 'nested deeper than 64 levels'],
  ])('rejects %s, and names it', async (_, source, content, message) => {
    const path = content === undefined ? '/nowhere/realm.json' : file('refused.json', content);
    const out = join(folder, 'refused.yaml');
    const { code, stdout, stderr } = await run('import', source, path, '--out', out);
    expect([code, stdout, existsSync(out)]).toEqual([1, '', false]);
    expect(stderr).toContain(path);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  test('names the setting that SHA-1 thumbprints require', async () => {
    const ClientSecrets = [{ Type: 'X509Thumbprint', Value: 'ab'.repeat(20) }];
    const args = ['clients', 'import', 'identityserver', '-'];
    const { stderr } = await runCountersign(args, { input: configurationOf({ ...client, ClientSecrets }) });
    expect(stderr).toContain('set COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS=true');
  });

  test('writes to devices, and to standard output for "-"', async () => {
    const source = file('one.json', configurationOf(client));
    const importTo = (out: string) => run('import', 'identityserver', source, '--out', out);
    expect(await importTo('-')).toMatchObject({ code: 0, stdout: expect.stringContaining('client_id: a') });
    expect((await importTo('/dev/null')).code).toBe(0);
    const full = await importTo('/dev/full');
    expect([full.code, full.stderr]).toEqual([
      1,
      expect.stringMatching(/^countersign: \/dev\/full .*no space left on device/),
    ]);
    expect(await importTo('')).toMatchObject({
      code: 2,
      stderr: 'countersign: --out is empty: expected the path of a file\n',
    });
  });

  test('names an output file that cannot be written', async () => {
    const out = join(folder, 'no-such-folder/clients.yaml');
    const { code, stderr } = await run(
      'import',
      'identityserver',
      file('two.json', configurationOf(client)),
      '--out',
      out,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining(out)]);
  });

  test('documents its exit codes in its help', async () => {
    const { code, stdout } = await run('import', 'keycloak', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Exit codes:\n {2}0 {4}every client works as before\n(?:.*\n)+? {2}3 {4}a client has a difference/m,
    );
  });
});

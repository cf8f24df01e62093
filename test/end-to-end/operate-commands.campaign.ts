import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { documentationHelp } from '../../src/commands/documentation-help.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedCommands } from '../support/documented-commands.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const clientsFile = (name: string, count: number) => {
  const records = Array.from({ length: count }, (_, number) => ({
    client_id: `client-${number}`,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: `client-${number}.example`,
  }));
  return file(name, JSON.stringify(records));
};

describeWith(['redis-server'], 'the commands that manage clients', () => {
  const settings = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix() };
  const run = (...args: string[]) => runCountersign(['clients', ...args], { env: settings });
  const [many, third, half] = [clientsFile('40.json', 40), clientsFile('27.json', 27), clientsFile('26.json', 26)];

  test('remove more than 10 clients that are more than a third only with --yes', async () => {
    expect((await run('apply', many)).code).toBe(0);
    const refused = await run('apply', half, '--prune');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('remove 14 of 40 clients')]);
    expect(refused.stderr).toContain('--yes');
    expect(refused.stderr).toContain('Nothing was written.');
    // 13 of 40 are less than a third.
    expect(await run('apply', third, '--prune')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('13 written'),
    });
    const ids = Array.from({ length: 11 }, (_, number) => `client-${number}`);
    const kept = await run('delete', ...ids);
    expect([kept.code, kept.stdout]).toEqual([2, '']);
    expect(kept.stderr).toContain('remove 11 of 27 clients');
    expect((await run('delete', ...ids.slice(1))).code).toBe(0);
    expect((await run('apply', many, '--prune')).code).toBe(0);
    expect((await run('remove', '--yes', ...ids)).code).toBe(0);
    expect((await run('ls', '-o', 'json')).stdout.match(/client_id/g)).toHaveLength(29);
  });

  test('take settings from --settings and --redis-url, which replace those of the environment', async () => {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    const env = { COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:1' };
    const settingsFile = ['--settings', file('countersign.env', lines.join(''))];
    expect((await runCountersign(['clients', 'ls', ...settingsFile], { env })).code).toBe(0);
    const { code, stderr } = await runCountersign(
      ['clients', 'ls', ...settingsFile, '--redis-url', 'redis://127.0.0.1:2'],
      {},
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot reach Redis at redis://127.0.0.1:2/0')]);
    const missing = await runCountersign(['clients', 'ls', '--settings', '/nowhere.env']);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('--settings: /nowhere.env: ')]);
    // As a program of Windows writes it.
    const marked = file('marked.env', '\uFEFFCOUNTERSIGN_REDIS_URL=bogus\r\nOTHER=x');
    const read = await runCountersign(['clients', 'list', '--settings', marked]);
    expect([read.code, read.stderr]).toEqual([
      2,
      expect.stringMatching(/^countersign: COUNTERSIGN_REDIS_URL: is not a URL/),
    ]);
    const prose = await runCountersign(['clients', 'list', '--settings', file('prose.env', 'hello world')]);
    expect(prose.stderr).toContain('prose.env: contains no line NAME=VALUE');
    const yaml = file('yaml.env', 'OTHER=x\nCOUNTERSIGN_REDIS_URL: redis://localhost\n');
    expect((await runCountersign(['clients', 'list', '--settings', yaml])).stderr).toContain(
      `warning: --settings: ${yaml}:2: COUNTERSIGN_REDIS_URL is not followed by =VALUE\n`,
    );
  });

  test('require files, as operands or as options', async () => {
    for (const command of ['plan', 'apply', 'check']) {
      const { code, stderr } = await run(command);
      expect([code, stderr]).toEqual([2, expect.stringContaining('expected files with records')]);
    }
    for (const args of [[many], ['-f', many], [many, '-f', third]])
      expect((await run('validate', ...args)).stdout).toContain('40 valid clients');
  });
});

describe('the help of every command', () => {
  /** By the words after `countersign`. */
  const helps = new Map<string, string>();
  const commandsIn = (help: string) =>
    [...help.matchAll(/^ {2}([a-z]+(?:, [a-z]+)*)(?: {2}|\n|$)(?!.*display help)/gm)].map(([, names = '']) =>
      names.split(', '),
    );
  const subcommandsIn = (help: string) => commandsIn(help.split('\nCommands:\n')[1] ?? '');
  beforeAll(async () => {
    const collect = async (names: readonly string[]): Promise<void> => {
      const help = (await runCountersign([...names, '--help'])).stdout;
      helps.set(names.join(' '), help);
      for (const [name = ''] of subcommandsIn(help)) await collect([...names, name]);
    };
    await collect([]);
  });

  test('has examples, and fits 80 columns', () => {
    expect(helps.size).toBeGreaterThan(30);
    for (const [names, help] of helps) {
      if (!help.includes('\nCommands:\n')) expect(help, names).toContain('\nExit codes:\n  0    ');
      expect(help.split('\nExamples:\n').slice(1), names).toEqual([expect.stringMatching(`^  countersign ${names}`)]);
      if (names !== 'serve') expect(help, names).not.toMatch(/^.{81}/m);
    }
  });

  test('ends with the URL of its page, as installed with the command', async () => {
    for (const [names, help] of helps) {
      const url = documentationHelp(names.split(' ').filter(Boolean)).replace('\nDocumentation: ', '');
      expect(readFileSync(fileURLToPath(url), 'utf8'), names).toContain(names && `countersign ${names.split(' ')[0]}`);
      // The build of the tests is installed without the documentation.
      const end = `\n\nDocumentation: docs/${basename(url)}\n`;
      expect([help.endsWith(end), help.match(/\bdocs\/|\.md\b/g)?.length], names).toEqual([true, 2]);
    }
    const page = async (...command: string[]) => {
      const args = [join(repositoryRoot, 'src/countersign.ts'), ...command, '--help'];
      return (await runProgram(process.execPath, args)).stdout.toString().trimEnd().split('\n').at(-1);
    };
    const docs = pathToFileURL(join(repositoryRoot, 'docs')).href;
    expect([await page(), await page('keys', 'list'), await page('clients', 'help')]).toEqual([
      `Documentation: ${docs}/README.md`,
      `Documentation: ${docs}/keys.md`,
      `Documentation: ${docs}/manage-clients.md`,
    ]);
  });

  test.each([
    ['clients rm', 'clients remove'],
    ['resources rm', 'resources remove'],
    ['keys ls', 'keys list'],
    ['tokens ls', 'tokens revoked'],
  ])('%s is that of %s', async (alias, names) => {
    const { stdout } = await runCountersign([...alias.split(' '), '--help']);
    expect(stdout.replace(/\|\w+/, '')).toBe(helps.get(names)?.replace(/\|\w+/, ''));
    expect(stdout).toContain(`Usage: countersign ${names}`);
  });

  test('has the options of every command line of the documentation', () => {
    const commands = documentedCommands();
    expect(commands.length).toBeGreaterThan(100);
    const problems = commands.flatMap(({ place, words, options }) => {
      const names = findCommand(words);
      const help = helps.get(names.join(' ')) ?? '';
      const operand = words[names.length];
      const isUnknown = help.includes('\nCommands:\n') && operand !== undefined && /^[a-z]/.test(operand);
      const unknown = options.filter((option) => !new RegExp(`[ ,]${option}[ ,\\n]`).test(help));
      return [...(isUnknown ? [operand] : []), ...unknown].map((word) => `${place}: ${word}`);
    });
    expect(problems).toEqual([]);
  });

  /** The names of the command that these words start with, each the first of its names. */
  function findCommand(words: readonly string[], names: readonly string[] = []): readonly string[] {
    const [word = '', ...rest] = words;
    const found = subcommandsIn(helps.get(names.join(' ')) ?? '').find((each) => each.includes(word));
    return found ? findCommand(rest, [...names, found[0] ?? word]) : names;
  }
});

describeWith(['redis-server'], 'the commands that change the keyring in Redis', () => {
  test('record the kid of each key that they add, change or remove, and no key', async () => {
    const audit = join(folder, 'audit.log');
    const kek = file('kek', Buffer.alloc(32, 7).toString('base64url'));
    chmodSync(kek, 0o600);
    const env = {
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix(),
      COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: kek,
    };
    const keys = (args: readonly string[], auditFile = audit) =>
      runCountersign(['keys', ...args], { env: { ...env, COUNTERSIGN_AUDIT_FILE: auditFile } });
    expect((await keys(['create'], join(folder, 'absent', 'audit.log'))).stderr).toContain('nothing is changed');
    for (const args of [['create'], ['list'], ['reseal'], ['rotate', '--now']])
      expect((await keys(args)).code, args.join(' ')).toBe(0);
    const text = readFileSync(audit, 'utf8');
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [first, next] = events[0].added;
    const who = { event: 'keyring_changed', by: expect.stringMatching(/^.+@.+$/) };
    expect(events).toMatchObject([
      { ...who, added: [first, next], changed: [], removed: [] },
      { ...who, added: [expect.any(String)], changed: [next], removed: [first] },
    ]);
    expect(text).not.toContain('sealed');
  });
});

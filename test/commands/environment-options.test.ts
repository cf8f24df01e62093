import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addSettingsOption } from '../../src/commands/clients/environment-options.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

test.each([[['--env-file', 'production.env']], [['--env-file=production.env']]])(
  '%j is rejected by a command that has --settings, and names that',
  (args) => {
    const command = new Command('list').exitOverride().configureOutput({ writeErr: () => {} });
    addSettingsOption(command);
    expect(() => command.parse(args, { from: 'user' })).toThrow(/--env-file .*: use --settings FILE/);
    expect(command.helpInformation()).not.toContain('--env-file');
  },
);

const unreachable = 'redis://127.0.0.1:1';
const keyring = { COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url') };

test.each([
  ['clients list', ['clients', 'list'], {}],
  ['resources list', ['resources', 'list'], {}],
  ['tokens revoked', ['tokens', 'revoked'], {}],
  ['keys list', ['keys', 'list'], keyring],
])('%s names --redis-url if that is where the URL is, and the variable otherwise', async (_, args, env) => {
  const problem = 'cannot reach Redis at redis://127.0.0.1:1/0: connect ECONNREFUSED 127.0.0.1:1';
  const byVariable = await runCountersign(args, { env: { ...env, COUNTERSIGN_REDIS_URL: unreachable } });
  expect(byVariable.stderr).toBe(`countersign: COUNTERSIGN_REDIS_URL: ${problem}\n`);
  const byOption = await runCountersign([...args, '--redis-url', unreachable], {
    env: { ...env, COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:2' },
  });
  expect(byOption.stderr).toBe(`countersign: --redis-url: ${problem}\n`);
});

describeWith(['redis-server'], 'what is wrong with the URL of --redis-url', () => {
  const list = (url: string, env = {}) =>
    runCountersign(['clients', 'list', '--redis-url', url], {
      env: { COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix(), ...env },
    });

  test.each<[string, () => string, object, string]>([
    ['is no URL', () => 'bogus', {}, '--redis-url: '],
    [
      'has a wrong password',
      () => redisUrl().replace('//', '//x:y@'),
      {},
      'check the user name and password in --redis-url',
    ],
    ['has no database of this number', () => `${redisUrl()}/999`, {}, 'check the one in --redis-url'],
    [
      'is not encrypted, with a setting of TLS',
      redisUrl,
      { COUNTERSIGN_REDIS_CA_FILE: '/nowhere' },
      'use rediss in place of redis in --redis-url',
    ],
  ])('is stated by that name if it %s', async (_, url, env, expected) => {
    const { stderr } = await list(url(), env);
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('COUNTERSIGN_REDIS_URL');
  });

  test('is not mixed up with a misspelt setting', async () => {
    const { stderr } = await list(redisUrl(), { COUNTERSIGN_REDIS_ULR: 'x' });
    expect(stderr).toContain('COUNTERSIGN_REDIS_ULR');
    expect(stderr).toContain('COUNTERSIGN_REDIS_URL?');
  });
});

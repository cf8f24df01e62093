import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { countersignCommand, testEnvironment } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const pem = file('certificate.pem', selfSigned().pem);
const clients = file(
  'clients.json',
  '[{"client_id":"a","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a"}]',
);
const pipe = join(folder, 'pipe');
const keycloak = join(repositoryRoot, 'test/administration/import/files/realm.json');

/** Runs a script with a command as its arguments. */
const shell = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  return runProgram('sh', ['-c', script, 'sh', ...countersignCommand(args)], { env: { ...testEnvironment(), ...env } });
};

describe.skipIf(!existsSync('/dev/full'))('a full disk fails the command with a message:', () => {
  const problem = 'standard output cannot be written: no space left on device';

  test.each([
    [['--help']],
    [['certificate', pem]],
    [['clients', 'schema']],
    [['clients', 'check', clients]],
    [['clients', 'import', 'keycloak', keycloak]],
  ])('%s', async (args) => {
    const { code, stderr } = await shell('"$@" > /dev/full', args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(problem)]);
    expect(stderr).not.toContain('    at ');
  });

  describeWith(['redis-server'], 'commands that use Redis', () => {
    const env = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix() };

    test.each([
      [['plan', '-f', clients]],
      [['apply', '-f', clients, '--output', 'json']],
      [['list']],
      [['show', 'a']],
      [['export']],
      [['disable', 'a', '--output', 'json']],
      [['remove', 'a']],
    ])('%s', async (args) => {
      const { code, stderr } = await shell('"$@" > /dev/full', ['clients', ...args], env);
      expect([code, stderr]).toEqual([1, expect.stringContaining(problem)]);
    });
  });
});

describe('a closed pipe ends the command silently, with the exit code of SIGPIPE:', () => {
  test.each([[['--help']], [['clients', 'schema']], [['clients', 'check', clients]], [['certificate', pem]]])(
    '%s',
    async (args) => {
      // A reader has opened it, so that it can be written to, and has closed it again.
      const script = `mkfifo '${pipe}'; exec 3<>'${pipe}' 4>'${pipe}' 3<&-; rm '${pipe}'; "$@" >&4; echo "$?" >&2`;
      expect((await shell(script, args)).stderr).toBe('141\n');
    },
  );
});

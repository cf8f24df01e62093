import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEffectiveSettings } from '../../src/settings/effective-settings.ts';
import { readLoggingSettings } from '../../src/settings/logging.ts';
import { Settings } from '../../src/settings/settings.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = join(folder, 'audit.log');
mkdirSync(join(folder, 'folder'));
writeFileSync(join(folder, 'file'), '');

function read(env: Record<string, string>) {
  const settings = new Settings(env);
  return { logging: readLoggingSettings(settings), problems: settings.problems };
}

describe('the log settings', () => {
  test.each([
    [{}, { level: 'info', format: undefined, audit: undefined }],
    [{ COUNTERSIGN_AUDIT_STDOUT: 'on' }, { audit: undefined }],
    [
      { COUNTERSIGN_LOG_LEVEL: 'error', COUNTERSIGN_LOG_FORMAT: 'pretty' },
      { level: 'error', format: 'pretty' },
    ],
    [{ COUNTERSIGN_AUDIT_FILE: file }, { audit: { file, alsoToStdout: false } }],
    [{ COUNTERSIGN_AUDIT_FILE: file, COUNTERSIGN_AUDIT_STDOUT: 'off' }, { audit: { file, alsoToStdout: false } }],
    [{ COUNTERSIGN_AUDIT_FILE: file, COUNTERSIGN_AUDIT_STDOUT: 'on' }, { audit: { file, alsoToStdout: true } }],
  ])('%j are read', (env: Record<string, string>, expected) => {
    const { logging, problems } = read(env);
    expect([logging, problems]).toEqual([expect.objectContaining(expected), []]);
  });

  test.each([
    [{ COUNTERSIGN_AUDIT_STDOUT: 'off' }, /^COUNTERSIGN_AUDIT_STDOUT: is off, so decisions are not recorded: set/],
    [{ COUNTERSIGN_LOG_LEVEL: 'debug' }, /^COUNTERSIGN_LOG_LEVEL: "debug" is not one of: info, warn, error/],
    [{ COUNTERSIGN_AUDIT_FILE: join(folder, 'folder') }, /: .*folder is a folder: name a file in it$/],
    [{ COUNTERSIGN_AUDIT_FILE: join(folder, 'missing/audit.log') }, /cannot be opened: no such file or directory$/],
    [{ COUNTERSIGN_AUDIT_FILE: join(folder, 'file/audit.log') }, /cannot be opened: not a directory$/],
  ])('%j are rejected', (env: Record<string, string>, expected) => {
    expect(read(env).problems).toEqual([expect.stringMatching(expected)]);
  });

  test.skipIf(process.getuid?.() === 0)('a folder without write permission is rejected', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    expect(read({ COUNTERSIGN_AUDIT_FILE: join(closed, 'audit.log') }).problems).toEqual([
      expect.stringMatching(/cannot be opened: permission denied$/),
    ]);
  });
});

test('the effective settings are those that are set, without secrets', () => {
  const env = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_MTLS_URL: '',
    COUNTERSIGN_PROXY_SECRET: 'hunter2',
    COUNTERSIGN_REDIS_URL: 'redis://user:hunter2@redis',
    COUNTERSIGN_SIGNING_KEY_FILE: '/etc/countersign/key.pem',
    COUNTERSIGN_MISSPELT: 'hunter2',
    HOME: '/root',
  };
  expect(readEffectiveSettings(env)).toEqual({
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_PROXY_SECRET: '(secret)',
    COUNTERSIGN_REDIS_URL: '(secret)',
    COUNTERSIGN_SIGNING_KEY_FILE: '/etc/countersign/key.pem',
  });
});

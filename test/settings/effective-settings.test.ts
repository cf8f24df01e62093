import { describe, expect, test } from 'vitest';
import { digestSettings } from '../../src/settings/effective-settings.ts';

const settings = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_LISTEN: '127.0.0.1:8001',
  COUNTERSIGN_PROXY_SECRET: 'a'.repeat(32),
};
const digest = digestSettings(settings);

describe('the digest of the settings is the same', () => {
  test.each<[string, Record<string, string>]>([
    ['on another address', { COUNTERSIGN_LISTEN: 'unix:/run/countersign/2.sock' }],
    ['with another log level', { COUNTERSIGN_LOG_LEVEL: 'warn' }],
    ['if a default is written out', { COUNTERSIGN_MAX_QUEUE_DELAY: '100ms' }],
    ['if a variable is empty', { COUNTERSIGN_CLIENTS_FILE: '' }],
    ['for another secret', { COUNTERSIGN_PROXY_SECRET: 'b'.repeat(32) }],
    [
      'for a secret in a file',
      { COUNTERSIGN_PROXY_SECRET: '', COUNTERSIGN_PROXY_SECRET_FILE: '/run/secrets/proxy-secret' },
    ],
  ])('%s', (_, changed) => {
    expect(digestSettings({ ...settings, ...changed })).toBe(digest);
  });
});

describe('the digest of the settings differs', () => {
  test.each<[string, Record<string, string>]>([
    ['with another terminator', { COUNTERSIGN_TERMINATOR: 'envoy' }],
    ['with a setting that is not the default', { COUNTERSIGN_MAX_QUEUE_DELAY: '200ms' }],
    ['without the secret', { COUNTERSIGN_PROXY_SECRET: '' }],
    [
      'if the value of one setting moves to another',
      { COUNTERSIGN_ISSUER: '', COUNTERSIGN_MTLS_URL: settings.COUNTERSIGN_ISSUER },
    ],
  ])('%s', (_, changed) => {
    expect(digestSettings({ ...settings, ...changed })).not.toBe(digest);
  });
});

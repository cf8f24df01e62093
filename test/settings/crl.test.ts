import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readClientCa } from '../../src/settings/client-ca.ts';
import { readCrlConfig } from '../../src/settings/crl.ts';
import { Settings } from '../../src/settings/settings.ts';
import { createTestCa, toPem } from '../support/certificates.ts';
import { createCrl } from '../support/crls.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const file = join(temporaryDirectory(), 'ca.pem');
writeFileSync(file, createTestCa({ subject: [['CN', 'CA']] }).pem);

function read(env: Record<string, string>) {
  const settings = new Settings({ COUNTERSIGN_CLIENT_CA_FILE: file, ...env });
  const clientCa = readClientCa(settings);
  const key = clientCa?.store.anchors[0]?.publicKeyThumbprint ?? '';
  return { settings, key, crl: readCrlConfig(settings, clientCa) };
}

const { key } = read({});

describe('COUNTERSIGN_CRL_MODE', () => {
  test('sets the mode of all CAs, with overrides for single ones', () => {
    const { settings, crl } = read({ COUNTERSIGN_CRL_MODE: `prefer, ${key}=off` });
    expect(settings.problems).toEqual([]);
    expect(crl?.policy.byDefault.mode).toBe('prefer');
    expect(crl?.policy.byCa.get(key)?.mode).toBe('off');
  });

  test.each([
    ['CRL_MODE', 'require,off', 'all CAs'],
    ['CRL_MODE', `require,${key}=require,${key}=off`, key],
    ['CRL_MAX_STALENESS', '0,7d', 'all CAs'],
    ['CRL_MAX_STALENESS', `${key}=0,${key}=0`, key],
  ])('%s=%s is rejected as ambiguous', (name, text, scope) => {
    const { settings } = read({ [`COUNTERSIGN_${name}`]: text });
    expect(settings.problems).toEqual([`COUNTERSIGN_${name}: contains two values for ${scope}; expected one`]);
  });
});

describe('an override for a CA that is not configured', () => {
  const unknown = createHash('sha256').update('another CA').digest('base64url');
  test.each([
    ['CRL_MODE', `require,${unknown}=off`, file],
    ['CRL_MODE', `require,${unknown}=off`, ''],
    ['CRL_MAX_STALENESS', `${unknown}=1h`, file],
    ['CRL_MAX_STALENESS', `${unknown}=1h`, ''],
  ])('%s=%s is rejected with CLIENT_CA_FILE "%s"', (name, text, caFile) => {
    const { settings } = read({ [`COUNTERSIGN_${name}`]: text, COUNTERSIGN_CLIENT_CA_FILE: caFile });
    expect(settings.problems).toContain(
      `COUNTERSIGN_${name}: names ${unknown}, but no CA in COUNTERSIGN_CLIENT_CA_FILE has that key`,
    );
  });
});

describe('COUNTERSIGN_CLIENT_CRLS', () => {
  test('reports every file that cannot be used, together with the problems of other settings', () => {
    const folder = temporaryDirectory();
    const write = (name: string, content: string | Uint8Array) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const crl = createCrl(createTestCa());
    write('valid.crl', crl);
    const pkcs7 = Buffer.from('308006092a864886f70d010702a080', 'hex');
    const wide = write('wide.pem', Buffer.from(`\ufeff${toPem(crl, 'X509 CRL')}`, 'utf16le'));
    const certificate = write('ca.pem', createTestCa().pem);
    const message = write('message.crl', pkcs7);
    const { settings } = read({ COUNTERSIGN_CLIENT_CRLS: `${folder},/nowhere.crl`, COUNTERSIGN_CRL_INTERVAL: '1ms' });
    const none = 'contains no CRL, neither PEM (-----BEGIN X509 CRL-----) nor DER: it';
    expect(settings.problems).toEqual([
      'COUNTERSIGN_CRL_INTERVAL: "1ms" is shorter than a second',
      `COUNTERSIGN_CLIENT_CRLS: ${certificate}: ${none} contains a certificate`,
      expect.stringContaining(`COUNTERSIGN_CLIENT_CRLS: ${message}: ${none} is a PKCS #7 message`),
      expect.stringContaining(`COUNTERSIGN_CLIENT_CRLS: ${wide}: is UTF-16LE text`),
      'COUNTERSIGN_CLIENT_CRLS: /nowhere.crl: no such file or directory',
    ]);
  });

  test.each([
    ['https://reader:secret@ca.example/ca.crl', 'ca.example contains a user or a password'],
    ['ftp://reader:secret@ca.example/ca.crl', 'starts with ftp://'],
    ['http://reader:secret@ca.example:port/', 'starts with http:// is not a URL'],
  ])('%s is rejected without logging the password', (url, reason) => {
    const { settings } = read({ COUNTERSIGN_CLIENT_CRLS: `${file},${url}` });
    expect(settings.problems).toEqual([expect.stringContaining(reason)]);
    expect(settings.problems[0]).not.toContain('secret');
  });

  test('is needed by settings that have no effect without it, which causes warnings', () => {
    const { settings, crl } = read({ COUNTERSIGN_CRL_MAX_STALENESS: '7d', COUNTERSIGN_CRL_INTERVAL: '1m' });
    expect(crl).toBeUndefined();
    expect(settings.warnings).toEqual([
      expect.stringContaining('COUNTERSIGN_CRL_MAX_STALENESS: has no effect'),
      expect.stringContaining('COUNTERSIGN_CRL_INTERVAL: has no effect'),
    ]);
  });
});

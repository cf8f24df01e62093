import { expect, onTestFinished, test } from 'vitest';
import type { Log } from '../../src/observability/log.ts';
import { watchSigningKeys } from '../../src/service/signing-key-changes.ts';
import { readKeyDirectory } from '../../src/tokens/keyring/directory/read-key-directory.ts';
import { liveKeyring } from '../../src/tokens/keyring/live-keyring.ts';
import { eventually } from '../support/eventually.ts';
import { folderWith, newPem } from '../support/signing-key-files.ts';

test('the log states which key begins to sign, and which one signed before', async () => {
  const folder = folderWith({
    'first.pem': newPem(),
    '2096-11-01.pem': newPem(),
    '2096-11-02.pem': newPem('P-384'),
  });
  const { keys } = await readKeyDirectory(folder, undefined);
  const [first, second, other] = keys.map(({ keyId }) => keyId);
  let now = Date.parse('2096-10-01');
  const version = { keys, algorithm: undefined };
  const source = { description: '', current: () => version, notReadyReason: undefined, close: async () => {} };
  const keyring = liveKeyring(source, { retention: Number.POSITIVE_INFINITY, now: () => now });
  const lines: object[] = [];
  const log: Log = { info: (fields) => void lines.push(fields), warn: () => {}, error: () => {} };
  onTestFinished(watchSigningKeys(keyring, log, 10));

  now = Date.parse('2096-11-01');
  await eventually(
    () => lines.length === 1,
    () => 'no event',
  );
  now = Date.parse('2096-11-02');
  await eventually(
    () => lines.length === 2,
    () => 'no second event',
  );
  expect(lines).toEqual([
    { event: 'signing_key_changed', alg: 'ES256', kid: second, previous_kid: first },
    { event: 'signing_key_changed', alg: 'ES384', kid: other, previous_kid: null },
  ]);
});

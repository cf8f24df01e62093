import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openKeyFile } from '../../../../src/tokens/keyring/file/key-file.ts';
import { liveKeyring } from '../../../../src/tokens/keyring/live-keyring.ts';
import { readSigningKey } from '../../../../src/tokens/signing-key.ts';
import { filesState } from '../../../../src/watch/watch-files.ts';
import { newPem } from '../../../support/signing-key-files.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const hour = 3_600_000;
const policy = { publishAhead: 24 * hour, retention: 24 * hour + 300_000 };
const start = Date.parse('2026-11-01T00:00Z');
const [one, two, three] = [newPem(), newPem(), newPem()];

/** A key file, and a clock that shows the hours since the start. */
async function open() {
  const path = join(temporaryDirectory(), 'key.pem');
  let now = start;
  const lines: object[] = [];
  const append = (fields: object): void => void lines.push(fields);
  writeFileSync(path, one);
  const load = () => readSigningKey(readFileSync(path, 'utf8'), undefined);
  const source = openKeyFile({
    ...{ path, state: filesState(() => [path]), load, policy, maxQueueDelay: 100 },
    first: await load(),
    log: { info: append, warn: append, error: append },
    now: () => now,
  });
  const keyring = liveKeyring(source, { retention: policy.retention, now: () => now });
  onTestFinished(() => keyring.close());
  const replaceBy = async (pem: string) => {
    writeFileSync(`${path}.next`, pem);
    renameSync(`${path}.next`, path);
    await source.watched.reload();
  };
  const idOf = async (pem: string) => (await readSigningKey(pem, undefined)).keyId;
  const ids = await Promise.all([one, two, three].map(idOf));
  const nameOf = (keyId: string) => ['one', 'two', 'three'][ids.indexOf(keyId)];
  const atHour = (hours: number) => {
    now = start + hours * hour;
    const signing = nameOf(keyring.signingKey().keyId);
    return { signing, published: keyring.published.map(({ keyId }) => nameOf(keyId)) };
  };
  return { keyring, replaceBy, atHour, lines, source };
}

describe('a key that replaces the one in the file', () => {
  test('is published a day ahead, and the one before it until its tokens have expired', async () => {
    const { replaceBy, atHour, lines } = await open();
    await replaceBy(two);
    expect(atHour(23)).toEqual({ signing: 'one', published: ['one', 'two'] });
    expect(atHour(24)).toEqual({ signing: 'two', published: ['one', 'two'] });
    expect(atHour(48)).toEqual({ signing: 'two', published: ['one', 'two'] });
    expect(atHour(49)).toEqual({ signing: 'two', published: ['two'] });
    expect(lines).toEqual([
      expect.objectContaining({ event: 'signing_key_reloaded', alg: 'ES256', signs_from: '2026-11-02T00:00:00Z' }),
    ]);
  });

  test('never signs if another one replaces it before', async () => {
    const { replaceBy, atHour } = await open();
    await replaceBy(two);
    atHour(12);
    await replaceBy(three);
    expect(atHour(35)).toEqual({ signing: 'one', published: ['one', 'three'] });
    expect(atHour(36)).toEqual({ signing: 'three', published: ['one', 'three'] });
  });

  test('is dropped if the file is restored before it signs', async () => {
    const { replaceBy, atHour } = await open();
    await replaceBy(two);
    await replaceBy(one);
    expect(atHour(100)).toEqual({ signing: 'one', published: ['one'] });
  });

  test('is replaced at once by the one before it, which verifiers know, and stays published', async () => {
    const { replaceBy, atHour } = await open();
    await replaceBy(two);
    atHour(30);
    await replaceBy(one);
    expect(atHour(30)).toEqual({ signing: 'one', published: ['two', 'one'] });
    expect(atHour(60)).toEqual({ signing: 'one', published: ['one'] });
  });

  test('changes nothing if it is the same', async () => {
    const { keyring, replaceBy, atHour, lines } = await open();
    const { published } = keyring;
    await replaceBy(one);
    expect(atHour(1)).toEqual({ signing: 'one', published: ['one'] });
    expect([keyring.published, lines]).toEqual([published, []]);
  });

  test.each([
    ['is not a key', 'nothing', /no private key/],
    ['is for another algorithm', newPem('P-384'), /for ES384, and the server signs ES256/],
  ])('is not adopted if it %s', async (_, content, reason) => {
    const { replaceBy, atHour, lines, source } = await open();
    await replaceBy(content);
    expect(atHour(48)).toEqual({ signing: 'one', published: ['one'] });
    expect(lines).toEqual([{ event: 'signing_key_reload_failed', reason: expect.stringMatching(reason) }]);
    expect([source.watched.failures, source.watched.problem]).toEqual([1, expect.stringMatching(reason)]);
    await replaceBy(two);
    expect(atHour(72)).toEqual({ signing: 'two', published: ['one', 'two'] });
    expect(source.watched.problem).toBeUndefined();
  });
});

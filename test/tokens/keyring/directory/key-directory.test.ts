import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OperatorError } from '../../../../src/errors/operator-error.ts';
import type { Log } from '../../../../src/observability/log.ts';
import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import { openKeyDirectory } from '../../../../src/tokens/keyring/directory/key-directory.ts';
import type { Keyring } from '../../../../src/tokens/keyring/keyring.ts';
import { liveKeyring } from '../../../../src/tokens/keyring/live-keyring.ts';
import { eventually } from '../../../support/eventually.ts';
import { folderWith, mountSecret, newPem, writeFiles } from '../../../support/signing-key-files.ts';

// Long after the times at which the files of this test are changed.
const policy = { publishAhead: 86_400_000, retention: 86_400_000 + 300_000 };
const [one, two, three] = [newPem(), newPem(), newPem()];

interface Opened {
  readonly keyring: Keyring;
  readonly events: readonly LogEvent[];
  /** Sets the clock, RFC 3339. */
  readonly setTime: (time: string) => void;
  /** Waits for an event that satisfies the predicate. */
  readonly event: (name: string) => Promise<LogEvent>;
  readonly published: () => readonly string[];
}

type LogEvent = { readonly level: string; readonly event: string; readonly message: string };

async function open(path: string, time = '2096-11-15T00:00Z', algorithm?: SigningAlgorithm): Promise<Opened> {
  let now = Date.parse(time);
  const events: LogEvent[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void events.push({ level, event: 'event' in fields ? String(fields.event) : '', message });
  const log: Log = { info: at('info'), warn: at('warn'), error: at('error') };
  const clock = () => now;
  const source = await openKeyDirectory({
    ...{ path, algorithm, policy, log, now: clock },
    maxQueueDelay: 100,
    intervalMilliseconds: 20,
  });
  const keyring = liveKeyring(source, { retention: Number.POSITIVE_INFINITY, now: clock });
  onTestFinished(() => keyring.close());
  const event = async (name: string) => {
    const find = () => events.find((candidate) => candidate.event === name);
    await eventually(
      () => find() !== undefined,
      () => `no ${name} in ${JSON.stringify(events)}`,
    );
    return find() as LogEvent; // It was found above.
  };
  const published = () => keyring.published.map(({ keyId }) => keyId);
  const setTime = (text: string) => {
    now = Date.parse(text);
  };
  return { keyring, events, setTime, event, published };
}

const idOf = (keyring: Keyring) => keyring.signingKey().keyId;
const problemsOf = async (path: string, time?: string, algorithm?: SigningAlgorithm): Promise<readonly string[]> => {
  const error: unknown = await open(path, time, algorithm).catch((thrown) => thrown);
  if (error instanceof OperatorError) return error.problems.map((problem) => problem.replaceAll(path, 'DIR'));
  throw new Error('expected problems');
};

describe('a directory of keys', () => {
  test('publishes every key, and signs with the latest that has begun', async () => {
    const path = folderWith({ 'first.pem': one, '2096-11-01.pem': two, '2096-12-01.pem': three });
    const { keyring, setTime, published, events } = await open(path);
    const [keyOne = '', keyTwo = '', keyThree = ''] = published();
    expect([published().length, idOf(keyring)]).toEqual([3, keyTwo]);
    expect(keyring.description).toBe(`ES256 ${keyTwo} (2096-11-01.pem), one of 3 keys in ${path}`);
    setTime('2096-12-01T00:00:00Z');
    expect(idOf(keyring)).toBe(keyThree);
    setTime('2098-01-01T00:00:00Z');
    expect([published(), keyring.find(keyOne)?.keyId]).toEqual([[keyOne, keyTwo, keyThree], keyOne]);
    expect(events.map(({ message }) => message.replaceAll(/[\w-]{43}/g, 'KID'))).toEqual([
      'key KID (ES256) of first.pem: published only, another key signs',
      'key KID (ES256) of 2096-11-01.pem: signs',
      'key KID (ES256) of 2096-12-01.pem: published, signs from 2096-12-01T00:00:00Z',
    ]);
  });

  test('is replaced as a whole when Kubernetes updates the volume', async () => {
    const volume = mountSecret({ 'first.pem': one, '2096-11-01.pem': two });
    const { keyring, published, event, events } = await open(volume.folder);
    const before = published();
    const kept = keyring.find(before[1] ?? '');
    const seen = new Set([before.join()]);
    volume.swap({ '2096-11-01.pem': two, '2096-12-01.pem': three });
    await eventually(
      () => {
        seen.add(published().join());
        return events.some((line) => line.event === 'signing_keys_reloaded');
      },
      () => 'not reloaded',
    );
    expect((await event('signing_keys_reloaded')).message).toMatch(/: 2 keys, 1 added, 1 removed$/);
    // Never a mixture of the two versions, and the key that stays is the same object.
    expect([...seen, published().join()].slice(-2)).toEqual([published().join(), published().join()]);
    expect(seen.size).toBeLessThanOrEqual(2);
    expect(keyring.find(before[1] ?? '')).toBe(kept);
    expect(idOf(keyring)).toBe(before[1]);
    expect(events.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test.each([
    ['an empty file', ''],
    ['the first half of a key', three.slice(0, three.length / 2)],
    ['a key without its last line', three.replace(/-----END[\s\S]*$/, '')],
    ['a file that is not a key', 'certificate: pending\n'],
  ])('keeps its keys while another file is %s, and reads it when it is complete', async (_, content) => {
    const path = folderWith({ '2096-11-01.pem': one });
    const { published, event, events } = await open(path);
    const before = published();
    writeFiles(path, { '2096-12-01.pem': content });
    const failed = await event('signing_keys_reload_failed');
    expect(failed).toMatchObject({ level: 'error', message: expect.stringContaining(`${path}/2096-12-01.pem`) });
    expect(failed.message).toMatch(/^reload failed, the previous keys stay active: /);
    expect(published()).toEqual(before);
    writeFiles(path, { '2096-12-01.pem': three });
    await event('signing_keys_reloaded');
    expect(published().length).toBe(2);
    expect(events.filter(({ level }) => level !== 'info')).toEqual([failed]);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['it is removed', (path) => renameSync(path, `${path}.gone`), /cannot be read: no such file or directory/],
    [
      'all of its files are removed',
      (path) => rmSync(join(path, '2096-11-01.pem')),
      /contains no keys: create one with/,
    ],
    ['a key becomes readable by every user', (path) => chmodSync(join(path, '2096-11-01.pem'), 0o644), /chmod 600/],
    [
      'its only key has not begun to sign',
      (path) => renameSync(join(path, '2096-11-01.pem'), join(path, '2096-12-01.pem')),
      /no key in .* signs yet: the first one, 2096-12-01\.pem, signs from 2096-12-01T00:00:00Z/,
    ],
  ])('keeps its keys when %s', async (_, change, problem) => {
    const path = folderWith({ '2096-11-01.pem': one });
    const { keyring, published, event } = await open(path);
    const before = published();
    change(path);
    expect((await event('signing_keys_reload_failed')).message).toMatch(problem);
    expect([published(), idOf(keyring)]).toEqual([before, before[0]]);
    expect(keyring.notReadyReason).toBeUndefined();
  });

  test('is read again until its problem has passed, which is logged once', async () => {
    const path = folderWith({ '2096-11-01.pem': one });
    const { keyring, setTime, event, events, published } = await open(path);
    writeFiles(path, { '2096-12-01.pem': two });
    rmSync(join(path, '2096-11-01.pem'));
    await event('signing_keys_reload_failed');
    setTime('2096-12-01T00:00Z');
    await event('signing_keys_reloaded');
    expect([published().length, idOf(keyring)]).toEqual([1, published()[0]]);
    expect(events.filter((line) => line.event === 'signing_keys_reload_failed').length).toBe(1);
  });

  test('warns if a key is replaced in place, and follows the directory', async () => {
    const path = folderWith({ '2096-11-01.pem': one });
    const { keyring, event, published } = await open(path);
    const [before = ''] = published();
    writeFileSync(join(path, '2096-11-01.pem'), two);
    const warning = await event('signing_key_warning');
    expect(warning.message).toMatch(/\/2096-11-01\.pem was replaced in place by another key/);
    expect([keyring.find(before), published().length, idOf(keyring)]).toEqual([undefined, 1, published()[0]]);
    expect(published()).not.toEqual([before]);
  });

  test('warns if a key begins to sign too soon after it appeared', async () => {
    const path = folderWith({ '2096-11-01.pem': one });
    const { event, published } = await open(path, '2096-11-30T12:00Z');
    writeFiles(path, { '2096-12-01.pem': two });
    expect((await event('signing_key_warning')).message).toMatch(
      /\/2096-12-01\.pem appeared too late: .* 2096-12-01T00/,
    );
    expect(published().length).toBe(2);
  });

  test('follows and logs another time in the name of a file', async () => {
    const path = folderWith({ '2096-11-01.pem': one, '2096-12-01.pem': two });
    const { keyring, event, events, published } = await open(path);
    renameSync(join(path, '2096-12-01.pem'), join(path, '2096-11-02.pem'));
    expect((await event('signing_keys_reloaded')).message).toMatch(/: 2 keys, 0 added, 0 removed$/);
    expect(events.at(-1)?.message).toMatch(/of 2096-11-02\.pem: signs$/);
    expect(idOf(keyring)).toBe(published()[1]);
  });

  test('does not reload if files are written again with the same keys', async () => {
    const volume = mountSecret({ '2096-11-01.pem': one });
    const { keyring, event, events } = await open(volume.folder);
    const { published } = keyring;
    volume.swap({ '2096-11-01.pem': one });
    writeFiles(volume.folder, { '2096-12-01.pem': two });
    await event('signing_keys_reloaded');
    expect(events.filter((line) => line.event === 'signing_keys_reloaded').length).toBe(1);
    expect(keyring.published[0]).toBe(published[0]);
  });

  test('signs with the configured algorithm, whichever key began last', async () => {
    const path = folderWith({ '2096-11-01.pem': one, '2096-11-02.pem': newPem('P-384') });
    const [latest, configured] = [await open(path), await open(path, undefined, 'ES256')];
    expect(latest.keyring.algorithms).toEqual(['ES384', 'ES256']);
    expect(configured.keyring.algorithms).toEqual(['ES256', 'ES384']);
    expect(configured.keyring.description).toMatch(/^ES256 .* \(2096-11-01\.pem\), one of 2 keys/);
    expect(configured.keyring.signingKey('ES384').keyId).toBe(idOf(latest.keyring));
  });
});

describe('a directory of keys cannot be opened', () => {
  test('if it is empty', async () => {
    expect(await problemsOf(folderWith({ '.README': 'x' }))).toEqual([
      'DIR contains no keys: create one with countersign keys create --dir DIR --from 2096-11-15',
    ]);
  });

  test('if no key has begun to sign', async () => {
    expect(await problemsOf(folderWith({ '2096-11-15T0001Z.pem': one }))).toEqual([
      'no key in DIR signs yet: the first one, 2096-11-15T0001Z.pem, signs from 2096-11-15T00:01:00Z; ' +
        'create one that does with countersign keys create --dir DIR --from 2096-11-15 --alg ES256',
    ]);
  });

  test('if no key is for the configured algorithm', async () => {
    expect(await problemsOf(folderWith({ '2096-11-01.pem': one }), undefined, 'ES384')).toEqual([
      'no key in DIR is for ES384, which COUNTERSIGN_SIGNING_ALG requires; ' +
        'create one that does with countersign keys create --dir DIR --from 2096-11-15 --alg ES384',
    ]);
  });

  test('if it has problems, all of which are reported', async () => {
    const files = { '2096-11-01.pem': 'x', '2096-99-01.pem': one, 'a.pem': two, 'b.pem': three };
    expect((await problemsOf(folderWith(files))).length).toBe(3);
  });
});

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchClientsFile } from '../../../src/clients/files/watch-clients-file.ts';
import { eventually } from '../../support/eventually.ts';
import { usualPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** So many that their reading takes half a second, or more. */
const MANY = 30_000;
const record = (clientId: string) =>
  `{"client_id":"${clientId}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a"}\n`;
const manyRecords = Array.from({ length: MANY }, (_, number) => record(`many-${number}`)).join('');

function location(content: string) {
  const file = join(temporaryDirectory(), 'clients.jsonl');
  writeFileSync(file, content);
  const lines: object[] = [];
  const say = (fields: object): void => void lines.push(fields);
  const demands = {
    policy: usualPolicy,
    terminator: { verification: { by: 'countersign', fields: [] } },
  } as const;
  const open = async (warn = say) => {
    const clients = await watchClientsFile({ file, setting: undefined }, demands, { info: say, warn, error: say }, 20);
    onTestFinished(clients.stop);
    return { ...clients, ids: () => [...clients.current().keys()] };
  };
  const swap = (next: string) => {
    writeFileSync(`${file}.next`, next);
    renameSync(`${file}.next`, file);
  };
  return { file, lines, open, swap };
}

describe('a clients file that changes while it is read', () => {
  test.each<[string, (file: ReturnType<typeof location>) => void]>([
    ['swapped for another one', ({ swap }) => swap(record('later'))],
    ['written over', ({ file }) => writeFileSync(file, record('later'))],
  ])('at start: %s', async (_, change) => {
    const file = location(manyRecords);
    const opening = file.open();
    await delay(50);
    change(file);
    expect((await opening).ids()).toEqual(['later']);
  });

  test('at start, when it has been read and is told about', async () => {
    const thumbprint = 'a'.repeat(64);
    const ended = {
      client_id: 'ended',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint, not_after: '2020-01-01' }],
    };
    const { open, swap } = location(`${JSON.stringify(ended)}\n`);
    const { ids } = await open(() => swap(record('later')));
    await eventually(
      () => ids().includes('later'),
      () => `${ids()}`,
    );
    expect(ids()).toEqual(['later']);
  });

  test('later: the last change wins, and none of the others is in force', async () => {
    const { open, swap, lines } = location(record('first'));
    const { ids } = await open();
    swap(manyRecords);
    await delay(150);
    swap(record('later'));
    await eventually(
      () => ids().includes('later'),
      () => JSON.stringify(lines),
    );
    expect(lines).toEqual([{ event: 'clients_reloaded', clients: 1, added: 1, changed: 0, removed: 1 }]);
    await delay(1_000);
    expect(lines).toHaveLength(1);
  });
});

test('a clients file is read while other work goes on', async () => {
  const { open } = location(manyRecords);
  const started = performance.now();
  const opening = open();
  let [turns, isOpen] = [0, false];
  const opened = opening.then(() => {
    isOpen = true;
  });
  for (; !isOpen; turns += 1) await delay(1);
  await opened;
  // A turn of other work for every few hundred records at least.
  expect(turns, `in ${performance.now() - started} ms`).toBeGreaterThan(MANY / 2_000);
});

test('a clients file is of no more interest after the end', async () => {
  const { open, swap, lines } = location(record('first'));
  const { ids, stop } = await open();
  swap(manyRecords);
  await delay(150);
  stop();
  await delay(1_000);
  expect([ids(), lines]).toEqual([['first'], []]);
});

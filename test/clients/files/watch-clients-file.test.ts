import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchClientsFile } from '../../../src/clients/files/watch-clients-file.ts';
import { eventually } from '../../support/eventually.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Reading them takes at least half a second. */
const MANY = 30_000;
const record = (clientId: string) =>
  `{"client_id":"${clientId}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a"}\n`;
const manyRecords = Array.from({ length: MANY }, (_, number) => record(`many-${number}`)).join('');

function createClientsFile(content: string) {
  const file = join(temporaryDirectory(), 'clients.jsonl');
  writeFileSync(file, content);
  const lines: object[] = [];
  const append = (fields: object): void => void lines.push(fields);
  const requirements = {
    policy: defaultPolicy,
    terminator: { verification: { by: 'countersign', fields: [] } },
  } as const;
  const open = async (warn = append, prepare?: () => Promise<void>) => {
    const clients = await watchClientsFile(
      { file, setting: undefined },
      requirements,
      { info: append, warn, error: append },
      { prepare, intervalMilliseconds: 20 },
    );
    onTestFinished(clients.stop);
    return { ...clients, ids: () => [...clients.current().clients.keys()] };
  };
  const swap = (next: string) => {
    writeFileSync(`${file}.next`, next);
    renameSync(`${file}.next`, file);
  };
  return { file, lines, open, swap };
}

describe('watchClientsFile', () => {
  test.each<[string, (file: ReturnType<typeof createClientsFile>) => void]>([
    ['replaced', ({ swap }) => swap(record('later'))],
    ['overwritten', ({ file }) => writeFileSync(file, record('later'))],
  ])('loads the last content of a file that is %s while it is read at startup', async (_, change) => {
    const file = createClientsFile(manyRecords);
    const opening = file.open();
    await delay(50);
    change(file);
    expect((await opening).ids()).toEqual(['later']);
  });

  test('reloads a file that changes while the warnings of the first load are logged', async () => {
    const thumbprint = 'a'.repeat(64);
    const ended = {
      client_id: 'ended',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint, not_after: '2020-01-01' }],
    };
    const { open, swap } = createClientsFile(`${JSON.stringify(ended)}\n`);
    const { ids } = await open(() => swap(record('later')));
    await eventually(
      () => ids().includes('later'),
      () => `${ids()}`,
    );
    expect(ids()).toEqual(['later']);
  });

  test('activates only the last of several changes during a reload', async () => {
    const { open, swap, lines } = createClientsFile(record('first'));
    const { ids } = await open();
    swap(manyRecords);
    await delay(150);
    swap(record('later'));
    await eventually(
      () => ids().includes('later'),
      () => JSON.stringify(lines),
    );
    expect(lines).toEqual([{ event: 'clients_reloaded', clients: 1, resources: 0, added: 1, changed: 0, removed: 1 }]);
    await delay(1_000);
    expect(lines).toHaveLength(1);
  });

  test('keeps the previous records until the next ones are prepared, and notices a change meanwhile', async () => {
    const { open, swap, lines } = createClientsFile(record('first'));
    const { promise, resolve } = Promise.withResolvers<void>();
    let prepared = 0;
    const { ids } = await open(undefined, async () => {
      prepared += 1;
      if (prepared === 2) await promise;
    });
    swap(record('second'));
    await eventually(
      () => prepared === 2,
      () => 'no reload',
    );
    swap(record('later'));
    await delay(200);
    expect([ids(), lines]).toEqual([['first'], []]);
    resolve();
    await eventually(
      () => ids().includes('later'),
      () => `${ids()}`,
    );
    expect(lines).toEqual([{ event: 'clients_reloaded', clients: 1, resources: 0, added: 1, changed: 0, removed: 1 }]);
  });
});

test('watchClientsFile swaps clients and resources together, and keeps both if either is invalid', async () => {
  const resource = { name: 'orders', resource: 'https://orders.example', scope: 'read', binding: 'caller' };
  const content = (id: string, fields = {}) => `${record(id)}${JSON.stringify({ ...resource, ...fields })}\n`;
  const { open, swap, lines } = createClientsFile(content('first'));
  const { current } = await open();
  const before = current();
  expect(before.resources.get('orders')).toMatchObject({ scopes: ['read'] });
  swap(content('second', { binding: 'none' }));
  await eventually(
    () => lines.length === 1,
    () => 'no reload',
  );
  expect(lines).toEqual([
    {
      event: 'clients_reload_failed',
      reason: expect.stringMatching(/:2:\d+: resource "orders": binding: none requires/),
    },
  ]);
  expect(current()).toBe(before);
  swap(content('second', { scope: 'write' }));
  await eventually(
    () => lines.length === 2,
    () => 'no reload',
  );
  expect(lines[1]).toEqual({ event: 'clients_reloaded', clients: 1, resources: 1, added: 1, changed: 1, removed: 1 });
  expect([...current().clients.keys()]).toEqual(['second']);
  expect(current().resources.get('orders')).toMatchObject({ scopes: ['write'] });
});

test('watchClientsFile does not block the event loop', async () => {
  const { open } = createClientsFile(manyRecords);
  const started = performance.now();
  const opening = open();
  let [turns, isOpen] = [0, false];
  const opened = opening.then(() => {
    isOpen = true;
  });
  for (; !isOpen; turns += 1) await delay(1);
  await opened;
  // Other work runs at least once every few hundred records.
  expect(turns, `in ${performance.now() - started} ms`).toBeGreaterThan(MANY / 2_000);
});

test('watchClientsFile neither swaps clients nor logs after stop', async () => {
  const { open, swap, lines } = createClientsFile(record('first'));
  const { ids, stop } = await open();
  swap(manyRecords);
  await delay(150);
  stop();
  await delay(1_000);
  expect([ids(), lines]).toEqual([['first'], []]);
});

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadTrustStore } from '../../src/pki/path/trust-store.ts';
import { watchClientCa } from '../../src/service/client-ca.ts';
import { createWatchedFiles } from '../../src/service/watched-files.ts';
import { createTestCa } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function watchFolder() {
  const path = temporaryDirectory();
  writeFileSync(join(path, 'a.pem'), createTestCa().pem);
  const events: unknown[] = [];
  const append = (fields: object) => void events.push('event' in fields && fields.event);
  const watched = createWatchedFiles();
  onTestFinished(() => watched.stop());
  const log = { info: append, warn: append, error: append };
  const { store } = loadTrustStore(path);
  const trust = watchClientCa({ path, store, state: '' }, watched, log, () => events.push('changed'));
  events.length = 0;
  return { path, trust, events, reloadAll: () => watched.reloadAll() };
}

test('a reload that finds the same CA certificates keeps the trust store, and logs nothing', async () => {
  const { path, trust, events, reloadAll } = watchFolder();
  const store = trust.current();
  await reloadAll();
  renameSync(join(path, 'a.pem'), join(path, 'b.pem'));
  await reloadAll();
  expect(events).toEqual([]);
  expect(trust.current()).toBe(store);
});

test('a reload that finds another CA certificate replaces the trust store, and is logged', async () => {
  const { path, trust, events, reloadAll } = watchFolder();
  writeFileSync(join(path, 'b.pem'), createTestCa().pem);
  await reloadAll();
  expect(events).toEqual(['changed', 'client_ca_reloaded', 'client_ca', 'client_ca']);
  expect(trust.current().anchors.length).toBe(2);
});

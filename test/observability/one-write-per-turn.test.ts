import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createLog, restoredLine } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { createLogs } from '../../src/observability/logs.ts';
import { startService } from '../../src/service/service.ts';
import { selfSigned } from '../support/certificates.ts';
import { startDecisionLoad } from '../support/decision-load.ts';
import { eventually } from '../support/eventually.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('for 1,000 decisions at 32 in flight, the log is written at most once per turn of the event loop', async () => {
  const folder = temporaryDirectory();
  const { pem } = selfSigned();
  const clientsFile = join(folder, 'clients.json');
  const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth' };
  writeFileSync(clientsFile, JSON.stringify([{ ...record, certificates: [{ pem }] }]));
  const socketPath = join(folder, 'public.sock');
  const config = readConfig({
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${socketPath}`,
    COUNTERSIGN_OPERATIONS_LISTEN: 'off',
    COUNTERSIGN_CLIENTS_FILE: clientsFile,
    COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
  });
  const writes: { readonly turn: number; readonly lines: number }[] = [];
  const write = (bytes: Uint8Array) => {
    const lines = Buffer.from(bytes).toString().split('\n').length - 1;
    writes.push({ turn: performance.nodeTiming.uvMetricsInfo.loopCount, lines });
    return bytes.length;
  };
  const output = new LogOutput({ write, restoredLine, onOutage: () => {} });
  const log = createLog((line) => output.append(line));
  const service = await startService(config, createLogs({ log, decisions: [output] }));
  await output.written();
  writes.splice(0);

  const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'];
  const load = startDecisionLoad({ socketPath, lines, clientId: 'a' });
  await eventually(
    () => load.received.size >= 1_000,
    () => `${load.received.size} responses`,
    30_000,
  );
  await load.stop();
  await service.close();

  const written = writes.reduce((sum, { lines: count }) => sum + count, 0);
  expect(written).toBe(load.received.size);
  expect(new Set(writes.map(({ turn }) => turn)).size).toBe(writes.length);
  expect(writes.length).toBeLessThan(written);
});

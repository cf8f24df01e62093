import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { createLog, restoredLine } from '../../src/observability/log.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { createLogs } from '../../src/observability/logs.ts';
import { type Service, startService } from '../../src/service/service.ts';
import { openssl } from './openssl.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ServiceInProcess extends Service {
  /** The lines of the log so far. */
  readonly lines: readonly string[];
}

/**
 * Starts the server in this process, behind nginx, on free ports.
 *
 * @param clientCa PEM
 * @param env further variables, such as the store of clients
 */
export async function startServiceInProcess(
  clientCa: string,
  env: Readonly<Record<string, string>>,
): Promise<ServiceInProcess> {
  const caFile = join(temporaryDirectory(), 'ca.pem');
  writeFileSync(caFile, clientCa);
  const config = readConfig({
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_OPERATIONS_LISTEN: 'off',
    // The machine may be busy, and collecting the counts stops the server.
    COUNTERSIGN_MAX_QUEUE_DELAY: '60s',
    COUNTERSIGN_CLIENT_CA_FILE: caFile,
    COUNTERSIGN_SIGNING_KEY: await openssl(['genpkey', '-algorithm', 'ed25519']),
    ...env,
  });
  const lines: string[] = [];
  const output = new LogOutput({ write: (bytes) => bytes.length, restoredLine, onOutage: () => {} });
  const log = createLog((line) => {
    lines.push(line);
    output.append(line);
  });
  return { ...(await startService(config, createLogs({ log, decisions: [output] }))), lines };
}

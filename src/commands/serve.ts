import { readConfig } from '../config.ts';
import { createLog } from '../observability/log.ts';
import { startService } from '../service/service.ts';
import type { Environment } from '../settings/settings.ts';
import { untilStopped } from './signals.ts';

/** `countersign serve`: runs the server, configured by the environment, until SIGINT or SIGTERM. */
export async function serve(env: Environment): Promise<void> {
  const stopped = untilStopped();
  const log = createLog();
  const service = await startService(readConfig(env), log);
  const signal = await stopped;
  log.info({ event: 'stopping', signal }, `${signal}: finishing requests in flight`);
  await service.close();
}

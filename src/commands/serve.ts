import { type Config, readConfig } from '../config.ts';
import { createLog } from '../observability/log.ts';
import { startService } from '../service/service.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnknownSetting, findUnknownSettings } from '../settings/unknown-settings.ts';
import { printProblem } from './output/errors.ts';
import { untilStopped } from './signals.ts';

/** `countersign serve`: runs the server, configured by the environment, until SIGINT or SIGTERM. */
export async function serve(env: Environment): Promise<void> {
  const stopped = untilStopped();
  const log = createLog();
  const service = await startService(readConfigOrExplain(env), log);
  const signal = await stopped;
  log.info({ event: 'stopping', signal }, `${signal}: finishing requests in flight`);
  await service.close();
}

/** A missing setting is often a misspelt one, and the log of a server that does not start cannot report that. */
function readConfigOrExplain(env: Environment): Config {
  try {
    return readConfig(env);
  } catch (error) {
    for (const setting of findUnknownSettings(env)) printProblem(`warning: ${describeUnknownSetting(setting)}`);
    throw error;
  }
}

import { type Config, readConfig } from '../config.ts';
import { createLog, type Log, restoredLine } from '../observability/log.ts';
import { LogOutput } from '../observability/log-output.ts';
import { createLogs } from '../observability/logs.ts';
import { startService } from '../service/service.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnknownSetting, findUnknownSettings } from '../settings/unknown-settings.ts';
import { withSourcePositions } from '../source-positions.ts';
import { printProblem } from './output/errors.ts';
import { untilStopped } from './signals.ts';

/** `countersign serve`: runs the server, configured by the environment, until SIGINT or SIGTERM. */
export async function serve(env: Environment): Promise<void> {
  const stopped = untilStopped();
  ignoreDebuggerSignal();
  const output = new LogOutput({ restoredLine, onOutage: printProblem });
  process.on('exit', () => output.flush());
  const log = createLog((line) => output.append(line));
  exitOnUnexpectedError(log);
  const service = await startService(readConfigOrExplain(env), createLogs({ log, decisions: [output] }));
  const signal = await stopped;
  log.info({ event: 'stopping', signal }, `${signal}: finishing requests in flight`);
  await service.close();
}

/**
 * Node.js opens its debugger on SIGUSR1, by which other servers reopen their log: every local user could then read the
 * signing key.
 */
function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => {});
}

/**
 * Ends the process after an exception that nothing handles, or a rejection: its state is unknown from then on. Without
 * this, Node.js would print the properties of the error, which may hold a password.
 */
function exitOnUnexpectedError(log: Log): void {
  process.on('uncaughtException', (error, origin) => {
    const reason = error instanceof Error ? withSourcePositions(error.stack ?? error.message) : typeof error;
    log.error({ event: 'crashed', origin, reason }, 'unexpected error, which is a bug: the server exits');
    process.exit(1);
  });
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

import { isatty } from 'node:tty';
import { type Config, readConfig } from '../config.ts';
import { ConfigurationError, OperatorError } from '../errors/operator-error.ts';
import { withSourcePositions } from '../errors/source-positions.ts';
import { jsonLine, type LineFormat, type Log } from '../observability/log.ts';
import { type Logs, openLogs } from '../observability/logs.ts';
import { prettyLine } from '../observability/pretty-line.ts';
import { startService } from '../service/service.ts';
import type { LoggingSettings } from '../settings/logging.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnknownSetting, findUnknownSettings } from '../settings/unknown-settings.ts';
import { printProblem } from './output/errors.ts';
import { untilStopped } from './signals.ts';

/** `countersign serve`: runs the server, configured by the environment, until SIGINT or SIGTERM. */
export async function serve(env: Environment): Promise<void> {
  // First, since the default of most signals is to end the process. They are handled when this function waits.
  const stopped = untilStopped({
    reload: (signal) => {
      log.info({ event: 'reloading', signal }, `${signal}: reloading everything that is watched`);
      starting.then(
        (service) => service.reload(),
        () => {}, // Reported below.
      );
    },
    ignore: (signal) => {
      const reason = signal === 'SIGHUP' ? 'the server is stopping' : 'SIGHUP reloads';
      log.warn({ event: 'signal_ignored', signal }, `${signal} has no effect: ${reason}`);
    },
    abort: (signal) => log.warn({ event: 'aborted', signal }, `${signal} again: aborting requests in flight`),
  });
  const config = readConfigOrExplain(env);
  const logs = openConfiguredLogs(config.logging, env);
  const { log } = logs;
  process.on('exit', () => logs.flush());
  exitOnUnexpectedError(log);
  const starting = startService(config, logs);
  const service = await starting;
  const signal = await stopped;
  logStopping(signal, config, log);
  await service.close();
  log.info({ event: 'stopped' }, 'all connections are closed');
  // The exporter of traces may still be trying to reach its collector.
  process.exit();
}

function logStopping(signal: NodeJS.Signals, { drainDelay }: Config, log: Log): void {
  const next = 'finishing requests in flight';
  const message = drainDelay === 0 ? next : `serving for another ${drainDelay / 1_000} s, then ${next}`;
  log.info({ event: 'stopping', signal, drain_delay_ms: drainDelay }, `${signal}: ${message}`);
}

function openConfiguredLogs({ level, audit, format }: LoggingSettings, env: Environment): Logs {
  try {
    return openLogs({ level, audit, format: lineFormat(format, env) }, printProblem);
  } catch (error) {
    throw error instanceof OperatorError ? new ConfigurationError(error.problems) : error;
  }
}

/** The log is written to the descriptor itself: `process.stdout` would make its pipe one that does not block. */
function lineFormat(format: LoggingSettings['format'], { NO_COLOR = '' }: Environment): LineFormat {
  const isTerminal = isatty(1);
  if (format === 'json' || (format === undefined && !isTerminal)) return jsonLine;
  return prettyLine({ hasColors: isTerminal && NO_COLOR === '' });
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

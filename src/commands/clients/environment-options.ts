import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { environment, setVariables } from '../../environment.ts';
import { fileErrorReason } from '../../file-error.ts';
import { OperatorError } from '../../operator-error.ts';
import { printWarnings } from '../output/errors.ts';

interface EnvironmentOptions {
  readonly envFile?: string;
  readonly redisUrl?: string;
}

/** Adds `--redis-url` and `--env-file` to commands that connect to Redis. */
export function addRedisOptions(commands: readonly Command[]): void {
  for (const command of commands) {
    command.option('--redis-url <url>', 'Redis, instead of COUNTERSIGN_REDIS_URL; visible in the list of processes');
    addEnvironmentFileOption(command);
  }
}

/** Adds `--env-file` to a command that reads settings. */
export function addEnvironmentFileOption(command: Command): void {
  command.option('--env-file <file>', 'settings as NAME=VALUE lines; they replace those of the environment');
}

/**
 * Lets the options of a command replace the settings of its environment, and warns about unknown ones: a misspelt setting
 * can make a command change other records than those intended.
 *
 * @throws {OperatorError} when the file cannot be read
 */
export async function prepareEnvironment(_: Command, command: Command): Promise<void> {
  const { envFile, redisUrl }: EnvironmentOptions = command.opts();
  if (envFile !== undefined) setVariables(readEnvironmentFile(envFile));
  if (redisUrl !== undefined) {
    setVariables({ COUNTERSIGN_REDIS_URL: redisUrl, COUNTERSIGN_REDIS_URL_FILE: undefined });
  }
  const { describeUnknownSetting, findUnknownSettings } = await import('../../settings/unknown-settings.ts');
  printWarnings(findUnknownSettings(environment).map(describeUnknownSetting));
}

function readEnvironmentFile(path: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new OperatorError([`--env-file: ${path}: ${fileErrorReason(error)}`]);
  }
}

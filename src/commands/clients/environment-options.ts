import { parseEnv } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { environment, setVariables } from '../../environment.ts';
import { fileErrorReason } from '../../errors/file-error.ts';
import { ConfigurationError } from '../../errors/operator-error.ts';
import { readBoundedFile } from '../../files/bounded-file.ts';
import { encodingProblem } from '../../files/text-encoding.ts';
import { nameOptionInProblems, printWarnings } from '../output/errors.ts';

interface EnvironmentOptions {
  readonly settings?: string;
  readonly redisUrl?: string;
}

/** Adds `--redis-url` and `--settings` to commands that connect to Redis. */
export function addRedisOptions(commands: readonly Command[]): void {
  for (const command of commands) {
    command.option('--redis-url <url>', 'Redis, instead of COUNTERSIGN_REDIS_URL; visible in the list of processes');
    addSettingsOption(command);
  }
}

/** Adds `--settings` to a command that reads settings. Node.js itself interprets `--env-file`, wherever it is. */
export function addSettingsOption(command: Command): void {
  command.option('--settings <file>', 'settings as NAME=VALUE lines; they replace those of the environment');
  command.addOption(new Option('--env-file <file>').hideHelp().argParser(rejectEnvFile));
}

/** Node.js ends before this if the file does not exist, and otherwise passes the option on. */
function rejectEnvFile(): never {
  throw new InvalidArgumentError('Node.js itself interprets --env-file here: use --settings FILE.');
}

/**
 * Lets the options of a command replace the settings of its environment, and warns about unknown ones: a misspelt setting
 * can make a command change other records than those intended.
 *
 * @throws {ConfigurationError} when the file cannot be read
 */
export async function prepareEnvironment(_: Command, command: Command): Promise<void> {
  const { settings, redisUrl }: EnvironmentOptions = command.opts();
  if (settings !== undefined) setVariables(readSettingsFile(settings));
  if (redisUrl !== undefined) {
    setVariables({ COUNTERSIGN_REDIS_URL: redisUrl, COUNTERSIGN_REDIS_URL_FILE: undefined });
  }
  const { describeUnknownSetting, findUnknownSettings } = await import('../../settings/unknown-settings.ts');
  printWarnings(findUnknownSettings(environment).map(describeUnknownSetting));
  if (redisUrl !== undefined) nameOptionInProblems('COUNTERSIGN_REDIS_URL', '--redis-url');
}

function readSettingsFile(path: string): Readonly<Record<string, string | undefined>> {
  const content = readContent(path);
  const problem = encodingProblem(content);
  if (problem !== undefined) throw new ConfigurationError([`--settings: ${path}: ${problem}`]);
  // To `parseEnv`, a byte order mark would be a part of the first name.
  const text = content.toString().replace(/^\uFEFF/, '');
  const variables = parseEnv(text);
  if (Object.keys(variables).length === 0) printWarnings([`--settings: ${path}: contains no line NAME=VALUE`]);
  printWarnings(unparsedSettings(text, variables).map((problem) => `--settings: ${path}:${problem}`));
  return variables;
}

/** Lines that begin with the name of a setting, and that `parseEnv` omits, as in YAML: `NAME: VALUE`. */
function unparsedSettings(text: string, variables: Readonly<Record<string, string | undefined>>): string[] {
  return text.split('\n').flatMap((line, index) => {
    const [, name] = /^\s*(?:export\s+)?(COUNTERSIGN_\w+)/.exec(line) ?? [];
    return name === undefined || name in variables ? [] : [`${index + 1}: ${name} is not followed by =VALUE`];
  });
}

function readContent(path: string): Buffer {
  try {
    return readBoundedFile(path, 1);
  } catch (error) {
    throw new ConfigurationError([`--settings: ${path}: ${fileErrorReason(error)}`]);
  }
}

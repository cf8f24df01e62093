import { OperatorError } from '../../operator-error.ts';
import { type Environment, Settings } from '../../settings/settings.ts';
import { type KeysLocation, readKeysLocation } from '../../settings/signing-key.ts';
import { printWarnings } from '../output/errors.ts';

/**
 * Where a command finds the keys.
 *
 * @param directory `--dir`, which takes precedence over the settings
 * @throws {OperatorError} with every problem, such as that neither a directory nor Redis is set
 */
export function readKeysConfig(env: Environment, directory: string | undefined): KeysLocation {
  const settings = new Settings(env);
  const location = readKeysLocation(settings, directory);
  if (!location || settings.problems.length > 0) throw new OperatorError(settings.problems);
  printWarnings(settings.warnings);
  return location;
}

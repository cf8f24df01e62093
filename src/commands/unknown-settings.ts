import { environment } from '../environment.ts';
import { printWarnings } from './output/errors.ts';

/** A misspelt setting can make a command change other records than those intended. */
export async function warnAboutUnknownSettings(): Promise<void> {
  const { describeUnknownSetting, findUnknownSettings } = await import('../settings/unknown-settings.ts');
  printWarnings(findUnknownSettings(environment).map(describeUnknownSetting));
}

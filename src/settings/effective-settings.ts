import { createHash } from 'node:crypto';
import type { Setting } from './setting.ts';
import { type Environment, PREFIX } from './settings.ts';
import { allSettings, variablesOf } from './table.ts';

/** The settings that are set, by variable, as they are written. The others have the defaults of the version. */
export type EffectiveSettings = Readonly<Record<string, string>>;

/** Instead of a secret. */
const HIDDEN = '(secret)';

/** Reads what is set for the log. A secret is hidden; the file of one is not. */
export function readEffectiveSettings(env: Environment): EffectiveSettings {
  const entries = allSettings.flatMap((setting) =>
    variablesOf(setting).flatMap((variable) => {
      const text = env[PREFIX + variable] ?? '';
      if (text === '') return [];
      return [[PREFIX + variable, setting.isSecret && variable === setting.name ? HIDDEN : text] as const];
    }),
  );
  return Object.fromEntries(entries);
}

/**
 * Identifies the settings that all replicas of a deployment share, in hexadecimal. One that is set to its default is like
 * one that is not set. Of secrets, it depends only on whether they are set.
 */
export function digestSettings(env: Environment): string {
  const values = allSettings
    .filter(({ mayDiffer }) => !mayDiffer)
    .map((setting) => [setting.name, sharedValue(setting, env)]);
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

function sharedValue(setting: Setting, env: Environment): string {
  const texts = variablesOf(setting).map((variable) => env[PREFIX + variable] ?? '');
  const text = texts.find((each) => each !== '');
  if (text === undefined) return setting.default ?? '';
  return setting.isSecret ? HIDDEN : text;
}

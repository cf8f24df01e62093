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

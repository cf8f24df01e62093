import { closestMatch } from '../closest-match.ts';
import { isServiceLink } from '../service-link.ts';
import { type Environment, PREFIX } from './settings.ts';
import { allSettings, variablesOf } from './table.ts';

/** A variable with the prefix of settings that is not a setting, most likely because it is misspelt. */
export interface UnknownSetting {
  readonly name: string;
  /** The setting that was probably meant. */
  readonly suggestion: string | undefined;
}

export function findUnknownSettings(env: Environment): readonly UnknownSetting[] {
  const known = allSettings.flatMap(variablesOf);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !isServiceLink(name))
    .map((name) => name.slice(PREFIX.length))
    .filter((name) => !known.includes(name))
    .map((name) => {
      const suggestion = newNameOf(name) ?? closestMatch(name, known);
      return { name: PREFIX + name, suggestion: suggestion && PREFIX + suggestion };
    });
}

function newNameOf(formerName: string): string | undefined {
  return allSettings.find(({ formerNames = [] }) => formerNames.includes(formerName))?.name;
}

export function describeUnknownSetting({ name, suggestion }: UnknownSetting): string {
  const hint = suggestion === undefined ? 'see countersign serve --help' : `did you mean ${suggestion}?`;
  return `unknown setting ${name} has no effect (${hint})`;
}
